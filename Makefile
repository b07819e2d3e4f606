SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install run sandbox migrate proto format lint types check test \
	bench torture docs screenshot requirements image clean

# Only what the lock files name may be imported, whatever the calling shell has set.
unexport PYTHONPATH
unexport PYTHONHOME

BIN := .venv/bin
STUBS_BIN := .venv/stubs/bin
BENCH_BIN := .venv/bench/bin
IMAGE ?= checkout

fingerprint = $(shell cat $(1) 2>/dev/null | cksum | cut -d' ' -f1)
RUN_LOCKS := .requirements/build.txt .requirements/run.txt .requirements/tools.txt
RUNNABLE := .venv/.runnable-$(call fingerprint,pyproject.toml $(RUN_LOCKS))
INSTALLED := .venv/.installed-$(call fingerprint,pyproject.toml .requirements/build.txt .requirements/dev.txt)
STUBS_INSTALLED := .venv/.stubs-$(call fingerprint,.requirements/stubs.txt)
BENCH_INSTALLED := .venv/.bench-$(call fingerprint,.requirements/bench.txt)
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --no-compile --require-hashes

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) $(STUBS_INSTALLED) ## Set up the project's own environment in .venv

$(BIN)/python:
	@found=; old=; \
	for python in python3.13 python3.12 python3.11 python3; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  old=$$python; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null && { found=$$python; break; }; \
	done; \
	if [ -z "$$old" ]; then \
	  echo "Python 3.11 or newer is needed: install it (Debian, Ubuntu: apt install python3 python3-venv)." >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "Python's venv module is needed: install it (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi; \
	"$$found" -m venv .venv

$(RUNNABLE): | $(BIN)/python
	@echo "Installing the service's pinned packages into .venv ..."
	@$(BIN)/python $(PIP_INSTALL) -r .requirements/build.txt
	@$(BIN)/python $(PIP_INSTALL) --no-build-isolation -r .requirements/run.txt -r .requirements/tools.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
	  --no-build-isolation -e .
	@rm -f .venv/.runnable-*
	@touch $@

$(INSTALLED): $(RUNNABLE)
	@echo "Installing the pinned packages for development into .venv ..."
	@$(BIN)/python $(PIP_INSTALL) --no-build-isolation -r .requirements/dev.txt
	@rm -f .venv/.installed-*
	@touch $@

# The compiler needs an older protobuf than the service runs on.
$(STUBS_INSTALLED): | $(BIN)/python
	@[ -x $(STUBS_BIN)/python ] || $(BIN)/python -m venv .venv/stubs
	@$(STUBS_BIN)/python $(PIP_INSTALL) -r .requirements/stubs.txt
	@rm -f .venv/.stubs-*
	@touch $@

# The provider's own package is compared with, never imported by the service.
$(BENCH_INSTALLED): | $(BIN)/python
	@[ -x $(BENCH_BIN)/python ] || $(BIN)/python -m venv .venv/bench
	@$(BENCH_BIN)/python $(PIP_INSTALL) -r .requirements/bench.txt
	@rm -f .venv/.bench-*
	@touch $@

run: $(RUNNABLE) ## Start the service with its sandbox, and print a first request
	@exec $(BIN)/checkout serve --sandbox

sandbox: $(RUNNABLE) ## Start the sandbox alone
	@exec $(BIN)/checkout sandbox

migrate: $(RUNNABLE) ## Bring the store to the newest revision
	@$(BIN)/checkout migrate

proto: $(STUBS_INSTALLED) $(INSTALLED) ## Generate stubs and descriptor sets from proto/
	@$(BIN)/buf format -w proto
	@$(STUBS_BIN)/python proto/generate.py

format: $(INSTALLED) ## Format the code and the proto files
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format -w proto

lint: $(INSTALLED) ## Check the code and the proto files
	@$(BIN)/ruff format --check --quiet . || { echo "Run make format."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/buf format --diff --exit-code proto || { echo "Run make format."; exit 1; }
	@$(BIN)/buf lint generated/descriptors/checkout.binpb --config proto/buf.yaml
	@[ ! -f proto/released.binpb ] || $(BIN)/buf breaking generated/descriptors/checkout.binpb \
	  --against proto/released.binpb --config proto/buf.yaml

types: $(INSTALLED) ## Check the types
	@$(BIN)/mypy

check: install lint types ## Everything that takes less than a minute
	@$(BIN)/pytest -n auto --dist worksteal -m "not slow"

test: install browser pooler ## Run every test
	@$(BIN)/pytest -n auto --dist worksteal

torture: $(INSTALLED) ## Kill the service 1,000 times under load on each store; TORTURE_KILLS=300 for fewer
	@$(BIN)/python -m tests.torture

.PHONY: browser
browser: $(INSTALLED)
	@$(BIN)/python -m tests.e2e.browser

.PHONY: pooler
pooler: $(INSTALLED)
	@$(BIN)/python -m tests.storage.postgres.pgbouncer

bench: $(INSTALLED) $(BENCH_INSTALLED) ## Measure speed and memory; BENCH="--calls 1000000" for longer
	@$(BIN)/python -m tests.benchmarks --sdk $(BENCH_BIN)/python $(BENCH)

docs: $(INSTALLED) ## Write the table of providers anew from what the adapters declare
	@$(BIN)/python -m tests.providers.table

screenshot: install browser ## Take the README's picture of the hosted page
	@$(BIN)/python -m tests.e2e.screenshot

requirements: $(INSTALLED) ## Pin the dependencies anew; UPGRADE=--upgrade takes the newest
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@set -e; compile() { $(BIN)/uv pip compile --universal --generate-hashes --no-annotate --quiet $(UPGRADE) \
	  --custom-compile-command "make requirements" "$$@" >/dev/null; }; \
	compile pyproject.toml -o .requirements/run.txt; \
	compile --group build -c .requirements/run.txt -o .requirements/build.txt; \
	compile --group tools -o .requirements/tools.txt; \
	compile pyproject.toml --group dev -c .requirements/run.txt -o .requirements/dev.txt; \
	compile --group stubs -o .requirements/stubs.txt; \
	compile --group bench -o .requirements/bench.txt

image: ## Build the container image
	@docker build --tag $(IMAGE) .

clean: ## Remove the environment and everything that can be made again
	@rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist test-results
	@find service tests generated proto -name __pycache__ -prune -exec rm -rf {} +
