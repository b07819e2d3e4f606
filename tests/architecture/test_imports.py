"""Who may import whom."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import product

import pytest

from tests.architecture.source import ROOT, Module, modules

SERVICE = modules("service")

# What each layer may import of ours, beside the bare package that tells where files lie.
OURS = {
    "core": ("service.core",),
    "providers": ("service.core", "service.providers"),
    "storage": ("service.core", "service.storage"),
    "web": ("service.core", "service.web"),
    "api": ("service.core", "service.api", "checkout"),
    "doctor": (
        *("service.core", "service.providers", "service.storage", "service.doctor"),
        *("service.config", "service.accounts"),
    ),
    "sandbox": ("service.core.money", "service.sandbox", "checkout.sandbox"),
}

# These put the layers together and may import all of them.
WIRING = {"app", "cli", "config", "telemetry", "workers"}

TRANSPORTS = ("grpc", "grpc_health", "grpc_reflection", "google", "protovalidate")
STORES = ("sqlite3", "asyncpg", "sqlalchemy", "alembic")
PAGES = ("aiohttp", "jinja2")
OUTSIDE = {
    "core": (*TRANSPORTS, *STORES, *PAGES, "prometheus_client"),
    "providers": (*TRANSPORTS, *STORES),
    "storage": (*TRANSPORTS, *PAGES),
    "web": (*TRANSPORTS, *STORES),
    "api": (*STORES, *PAGES),
    "doctor": (*STORES, "jinja2"),
    "sandbox": STORES,
}


def is_within(name: str, packages: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of some packages or below it."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def of_layer(layer: str) -> list[Module]:
    """Select the modules of one layer."""
    return [module for module in SERVICE if module.layer == layer]


def test_every_layer_is_known() -> None:
    """A new folder below service/ must be given its rule here."""
    folders = {path.name for path in (ROOT / "service").iterdir() if any(path.glob("**/*.py"))}
    assert folders <= set(OURS) | WIRING


@pytest.mark.parametrize("layer", OURS)
def test_layer_imports_only_what_it_may(layer: str) -> None:
    """A layer imports of our own code only what the architecture allows it."""
    wrong = [
        f"{module.path} imports {name}"
        for module in of_layer(layer)
        for name in module.imports()
        if name != "service" and is_within(name, ("service", "checkout", "tests"))
        if not is_within(name, OURS[layer])
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", OUTSIDE)
def test_layer_stays_off_foreign_ground(layer: str) -> None:
    """A layer imports no library that belongs to another layer."""
    wrong = [
        f"{module.path} imports {name}"
        for module in of_layer(layer)
        for name in module.imports()
        if is_within(name, OUTSIDE[layer])
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", ["providers", "sandbox"])
def test_providers_do_not_know_each_other(layer: str) -> None:
    """No provider's folder imports another provider's."""
    folders = {path.name for path in (ROOT / "service" / "providers").iterdir() if path.is_dir()}
    wrong = [
        f"{module.path} imports {name}"
        for module, other in product(of_layer(layer), folders)
        for name in module.imports()
        if is_within(name, (f"service.{layer}.{other}",))
        and module.name.split(".")[2] in folders - {other}
    ]
    assert wrong == []


def test_only_converters_know_both_proto_and_model() -> None:
    """Messages and model structs meet in api/convert alone."""
    wrong = [
        str(module.path)
        for module in SERVICE
        if any(is_within(name, ("service.core.model",)) for name in module.imports())
        and any("_pb2" in name and "_pb2_grpc" not in name for name in module.imports())
        and not is_within(module.name, ("service.api.convert",))
    ]
    assert wrong == []


def test_every_imported_package_is_declared() -> None:
    """What the service imports is what pyproject.toml installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[^\w.-]", line)[0].lower() for line in project["dependencies"]}
    owners = packages_distributions()
    wrong = {
        f"{module.path} imports {name}"
        for module in SERVICE
        for name in module.imports()
        if (root := name.split(".")[0]) not in sys.stdlib_module_names | {"service", "checkout"}
        and declared.isdisjoint(owner.lower().replace("_", "-") for owner in owners.get(root, ()))
    }
    assert sorted(wrong) == []
