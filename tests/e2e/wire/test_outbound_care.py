"""A provider that goes dark, through the whole service: callers, health, metrics and log tell the same."""

import time
from collections.abc import Iterator

import grpc
import pytest

from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import Refusal, refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.health import NOT_SERVING, SERVING, check
from tests.e2e.wire.provider import (
    SERVE_ACCOUNTS,
    Provider,
    Respond,
    account,
    answers,
    refuses,
    resets,
)
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id, metrics

pytestmark = pytest.mark.slow

Code = grpc.StatusCode
Session = session_pb2.Session
IN_A_ROW = 5
DARK = "provider/dodo/dark"
OTHER = "provider/dodo/default"


@pytest.fixture(scope="module")
def service(
    running: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A service with an account for each way to be held back."""
    settings = {
        **account(running.url),
        **account(running.url, "dark"),
        **account(running.url, "limited"),
    }
    with start(tmp_path_factory.mktemp("care"), settings, SERVE_ACCOUNTS) as process:
        yield process


@pytest.fixture(scope="module")
def channel(service: ServiceProcess) -> Iterator[grpc.Channel]:
    """A channel to it."""
    with service.channel() as opened:
        yield opened


def create(channel: grpc.Channel, name: str, request_id: str = "") -> Session:
    """Create a session at an account."""
    request = create_request(account=name, request_id=request_id or fresh_id())
    return CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT).session


def refusal_of(channel: grpc.Channel, name: str, request_id: str = "") -> Refusal:
    """Return how a create fails."""
    return refused(lambda: create(channel, name, request_id))


def delay(refusal: Refusal) -> float:
    """Return the seconds after which a caller may come again."""
    return float(refusal.details["RetryInfo"]["retryDelay"].removesuffix("s"))


def metric(service: ServiceProcess, name: str, **labels: str) -> float:
    """Read the value of a metric of Dodo's accounts."""
    found = metrics(service)
    return found[f"checkout_provider_{name}", frozenset({"provider": "dodo", **labels}.items())]


def state(service: ServiceProcess, name: str) -> float:
    """Return the state of an account's breaker."""
    return metric(service, "breaker_state", account=name)


FAILURES = {"reset": resets, "500": answers(500, {"code": "INTERNAL_SERVER_ERROR", "message": "x"})}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_dark_provider(
    provider: Provider, service: ServiceProcess, channel: grpc.Channel, failure: Respond
) -> None:
    """Five failures shut the account, which everything tells; the first call after the pause opens it again."""
    assert (check(channel, DARK), state(service, "dark")) == (SERVING, 0)
    provider.respond = failure
    lost, held_back = fresh_id(), fresh_id()
    first = refusal_of(channel, "dark", lost)
    for _ in range(IN_A_ROW - 1):
        refusal = refusal_of(channel, "dark")
        assert refusal.info["reason"] == "PROVIDER_OUTCOME_UNKNOWN"
    refusal = refusal_of(channel, "dark", held_back)
    opened = time.monotonic()
    assert (refusal.code, refusal.info["reason"]) == (Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert refusal.info["metadata"]["cause"] == "breaker_open"
    assert 0 < delay(refusal) <= 1
    assert len(provider.bodies) == IN_A_ROW
    assert (check(channel, DARK), state(service, "dark")) == (NOT_SERVING, 2)
    provider.respond = provider.opens
    assert (check(channel), check(channel, OTHER), state(service, "default")) == (
        SERVING,
        SERVING,
        0,
    )
    assert create(channel, "default").state == Session.STATE_OPEN
    time.sleep(max(delay(refusal) - (time.monotonic() - opened), 0))
    session = create(channel, "dark", held_back)
    assert session.session_id == refusal.info["metadata"]["session_id"]
    assert session.state == Session.STATE_OPEN
    assert create(channel, "dark", lost).session_id == first.info["metadata"]["session_id"]
    assert (check(channel, DARK), state(service, "dark")) == (SERVING, 0)
    line = service.wait_for_log("provider.breaker_closed")
    assert (line["provider"], line["account"]) == ("dodo", "dark")
    assert service.log("provider.breaker_opened")[-1]["account"] == "dark"


def test_limited_account(
    provider: Provider, service: ServiceProcess, channel: grpc.Channel
) -> None:
    """A provider that asks for a pause longer than callers wait is not called in it: they are told when."""
    provider.respond = refuses(429, "TOO_MANY_REQUESTS", "x", Retry_After="9" * 100)
    request_id = fresh_id()
    first = refusal_of(channel, "limited", request_id)
    again = refusal_of(channel, "limited", request_id)
    for refusal in (first, again):
        assert refusal.code is Code.RESOURCE_EXHAUSTED
        assert refusal.info["reason"] == "PROVIDER_RATE_LIMITED"
        assert refusal.info["metadata"]["session_id"] == first.info["metadata"]["session_id"]
    assert (delay(first), 55 < delay(again) <= 66) == (3600, True)
    assert len(provider.bodies) == 1
    assert check(channel, "provider/dodo/limited") == SERVING
    assert metric(service, "wait_seconds_count", account="limited", purpose="create") == 1
    provider.respond = provider.opens
    assert create(channel, "default").state == Session.STATE_OPEN


def test_log_has_no_error(service: ServiceProcess) -> None:
    """Nothing of this was unforeseen."""
    assert [line for line in service.log() if line["level"] == "error"] == []
