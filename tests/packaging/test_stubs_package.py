"""Callers install the stubs alone, on the oldest and the newest runtime."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.environments import STUBS, Environment, create, pinned

pytestmark = pytest.mark.slow

# The lower bounds in generated/python/pyproject.toml, and what the service is locked to.
RUNTIMES = {
    "oldest": ("grpcio==1.74.0", "protobuf==6.31.1"),
    "newest": (pinned("grpcio"), pinned("protobuf")),
}

ROUND_TRIP = """
import asyncio
import importlib.util
import grpc, grpc.aio
from checkout.v1 import cart_pb2, checkout_service_pb2 as service, checkout_service_pb2_grpc as rpc

request = service.CreateSessionRequest(provider="dodo", request_id="order-1")
request.cart.line_items.add(product_id="pdt_demo", quantity=0)
assert service.CreateSessionRequest.FromString(request.SerializeToString()) == request
assert request.cart.line_items[0].HasField("quantity")

with grpc.insecure_channel("127.0.0.1:1") as channel:
    assert rpc.CheckoutServiceStub(channel).CreateSession

async def on_a_loop():
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        assert rpc.CheckoutServiceStub(channel).GetSession

asyncio.run(on_a_loop())
print(*[name for name in ("service", "buf", "protovalidate") if importlib.util.find_spec(name)])
"""


@pytest.fixture(scope="module", params=RUNTIMES)
def caller(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of a caller who installed the stubs on one of the runtimes."""
    environment = create(tmp_path_factory.mktemp(request.param) / "venv")
    environment.install(STUBS, *RUNTIMES[request.param])
    return environment


def test_stubs_work_without_the_service(caller: Environment) -> None:
    """Messages survive the wire and stubs are made, with nothing of the server installed."""
    assert caller.run(ROUND_TRIP) == ""


def test_typed_client_is_clean(caller: Environment, tmp_path: Path) -> None:
    """A strict type checker finds nothing to complain about in a client."""
    caller.install("types-grpcio", "types-protobuf")
    client = Path(__file__).with_name("client.py")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable"]
    command: list[str | Path] = [*mypy, caller.python, "--cache-dir", tmp_path / "cache", client]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


def test_rules_travel_with_the_stubs(caller: Environment) -> None:
    """A caller with protovalidate checks a request before sending it."""
    caller.install(pinned("protovalidate"), "protobuf-py")
    program = """
import protovalidate
from checkout.v1 import checkout_service_pb2 as service
print(len(protovalidate.collect_violations(service.CreateSessionRequest(provider="Dodo"))) > 1)
"""
    assert caller.run(program) == "True"
