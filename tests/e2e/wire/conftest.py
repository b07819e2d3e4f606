"""What the tests of the wire share: a provider that obeys the test, and a service with accounts at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.ports import kept
from tests.e2e.wire.provider import (
    API_KEY,
    SERVE_ACCOUNTS,
    Provider,
    account,
    running_provider,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """A provider that does what the tests of a module choose."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    """That provider, which has seen nothing and is well."""
    running.reset()
    return running


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the API key of the account "rotated"."""
    path = tmp_path_factory.mktemp("keys") / "api_key"
    path.write_text(API_KEY)
    return path


@pytest.fixture(scope="module")
def accounts(
    running: Provider, key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A service with accounts at the provider, there with a key in a file, and where nobody is."""
    with kept() as port:
        settings = {
            **account(running.url),
            **account(running.url, "rotated", api_key="", api_key_file=str(key_file)),
            **account(f"http://127.0.0.1:{port}", "refused"),
        }
        with start(tmp_path_factory.mktemp("accounts"), settings, SERVE_ACCOUNTS) as service:
            yield service


@pytest.fixture(scope="module")
def stub(accounts: ServiceProcess) -> Iterator[CheckoutServiceStub]:
    """A stub of that service."""
    with accounts.channel() as channel:
        yield CheckoutServiceStub(channel)
