"""pytest-grpc's fixtures, given our own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.served import Served


@pytest.fixture(scope="module")
def grpc_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return our server, running; pytest-grpc would build a synchronous one."""
    served = Served(tmp_path_factory.mktemp("api"))
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def grpc_addr(grpc_server: Served) -> str:
    """Return where it listens: a port that it took free, not one that was free a moment ago."""
    return grpc_server.address


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[CheckoutServiceStub]:
    """Return the generated client."""
    return CheckoutServiceStub


@pytest.fixture
def served(grpc_server: Served) -> Iterator[Served]:
    """Return the server, and forget afterwards what a test told it to do."""
    yield grpc_server
    grpc_server.get_session.failure = None
    grpc_server.get_session.gate = None
    grpc_server.provider.script.clear()
    grpc_server.provider.violations = ()
