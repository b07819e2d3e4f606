"""What the end-to-end tests share: one running service for each test module."""

from collections.abc import Iterator

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2_grpc
from checkout.v1 import checkout_service_pb2_grpc
from tests.e2e.process import ServiceProcess, start

CheckoutStub = checkout_service_pb2_grpc.CheckoutServiceStub
SandboxStub = sandbox_service_pb2_grpc.SandboxServiceStub


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A real service with its sandbox, shared by the tests of a module."""
    with start(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def channel(service: ServiceProcess) -> Iterator[grpc.Channel]:
    """A channel to the service."""
    with service.channel() as opened:
        yield opened


@pytest.fixture(scope="module")
def checkout(channel: grpc.Channel) -> CheckoutStub:
    """A stub of the checkout service."""
    return CheckoutStub(channel)


@pytest.fixture(scope="module")
def sandbox(channel: grpc.Channel) -> SandboxStub:
    """A stub that acts as the buyer."""
    return SandboxStub(channel)
