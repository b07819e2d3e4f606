"""Every fault of a provider at every call that makes a page: what callers learn, what becomes of the session."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from tests.api.refusals import Refusal, refused
from tests.e2e.wire.fault_proxy import Asked, Break
from tests.e2e.wire.faults import ELSEWHERE, LOST, PAGE_ELSEWHERE, Fault, answers, hangs
from tests.e2e.wire.requests import TIMEOUT, fresh_id
from tests.e2e.wire.sellers import SELLERS, Seller
from tests.e2e.wire.shop import Shop, running_shop

pytestmark = pytest.mark.slow

Code = grpc.StatusCode
Session = session_pb2.Session
ATTEMPTS = 3
HASTY = 1.0
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop for all tests of this module."""
    with running_shop(tmp_path_factory.mktemp("faults")) as opened:
        yield opened


@pytest.fixture
def shop(running: Shop) -> Shop:
    """That shop, where all is well, and a buyer whom nobody there has seen."""
    running.proxy.reset()
    running.emulators.begin()
    return running._replace(buyer=fresh_id())


@pytest.fixture(params=SELLERS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a call, which is its account's too."""
    return str(request.param)


def refusal_of(shop: Shop, name: str, *, hasty: bool = False, **fields: object) -> Refusal:
    """Return how a create fails, having checked what every such answer names."""
    refusal = refused(lambda: shop.create(name, hasty=hasty, **fields))
    metadata, account = refusal.info["metadata"], f"{name}_hasty" if hasty else name
    assert (SELLERS[name].provider, account) == (metadata["provider"], metadata["account"])
    return refusal


def session_of(refusal: Refusal) -> str:
    """Return the id of the session that a refusal names."""
    return str(refusal.info["metadata"]["session_id"])


def assert_lost(refusal: Refusal, fault: Fault) -> None:
    """Check that a caller is told to repeat the same request, and why."""
    assert (refusal.code, refusal.info["reason"]) == (Code.UNAVAILABLE, "PROVIDER_OUTCOME_UNKNOWN")
    assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
    assert refusal.info["metadata"]["cause"].startswith(fault.causes)


def assert_recovered(
    shop: Shop, name: str, refusal: Refusal, request_id: str, made: int, *, hasty: bool = False
) -> None:
    """Check that the caller's repeat opens the session that was begun, by a page that is there."""
    shop.proxy.heal()
    session = shop.create(name, hasty=hasty, request_id=request_id)
    assert (session.session_id, session.state) == (session_of(refusal), Session.STATE_OPEN)
    found = shop.emulators.made(SELLERS[name].provider)
    assert len(found) == made
    assert session.provider_session_id in found
    bodies = [asked.body for asked in shop.proxy.asked_for(SELLERS[name].create)]
    assert not shop.replays(name) or set(bodies) == {bodies[0]}


@pytest.mark.parametrize("case", [*LOST, "a page elsewhere"])
def test_lost_answer(shop: Shop, name: str, case: str) -> None:
    """What may be repeated is, at once; the caller's repeat opens the session and makes no page that a key forbids."""
    fault, seller = LOST.get(case, PAGE_ELSEWHERE), SELLERS[name]
    faulty = seller.create if case in LOST else seller.page
    shop.proxy.fail(faulty, fault.happens)
    request_id, replays = fresh_id(), shop.replays(name)
    refusal = refusal_of(shop, name, request_id=request_id)
    assert_lost(refusal, fault)
    attempts = ATTEMPTS if replays and fault.is_passing else 1
    assert len(shop.proxy.asked_for(faulty)) == attempts
    assert ELSEWHERE not in {asked.path for asked in shop.proxy.seen}
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    is_made_again = fault.is_made and shop.makes_again(name)
    assert_recovered(shop, name, refusal, request_id, attempts + 1 if is_made_again else 1)


@pytest.mark.parametrize("case", ["500", "reset after the request", "HTML"])
def test_lost_answer_and_nobody_comes_back(shop: Shop, name: str, case: str) -> None:
    """Without a request id no retry can resolve it: the caller is told never to, and the session has failed."""
    shop.proxy.fail(SELLERS[name].create, LOST[case].happens)
    refusal = refusal_of(shop, name)
    assert (refusal.code, refusal.info["reason"], set(refusal.details)) == (
        Code.FAILED_PRECONDITION,
        "PROVIDER_OUTCOME_UNRESOLVED",
        {"ErrorInfo"},
    )
    session = shop.read(session_of(refusal))
    assert (session.state, session.failure.reason) == (
        Session.STATE_FAILED,
        "PROVIDER_OUTCOME_UNRESOLVED",
    )


def test_connection_that_breaks_at_once(shop: Shop, name: str) -> None:
    """A reset that comes before anything could be sent is told as that, or as unknown where it came too late."""
    shop.proxy.breaks = Break.AT_ONCE
    request_id = fresh_id()
    refusal = refusal_of(shop, name, request_id=request_id)
    assert (refusal.code, set(refusal.details)) == (Code.UNAVAILABLE, {"ErrorInfo", "RetryInfo"})
    assert refusal.info["metadata"]["cause"] in {"connect_failed", "reset", "disconnected"}
    assert 1 <= shop.proxy.broken <= ATTEMPTS
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    assert_recovered(shop, name, refusal, request_id, 1)


def test_connection_that_breaks_in_the_middle(shop: Shop, name: str) -> None:
    """A request that nobody read may have been sent whole: the outcome is unknown."""
    shop.proxy.breaks = Break.IN_THE_MIDDLE
    request_id = fresh_id()
    refusal = refusal_of(shop, name, request_id=request_id)
    assert_lost(refusal, Fault(answers(200), ("reset", "disconnected")))
    assert (shop.proxy.broken, shop.proxy.seen) == (ATTEMPTS if shop.replays(name) else 1, [])
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    assert_recovered(shop, name, refusal, request_id, 1)


def test_refused_connection(shop: Shop, name: str) -> None:
    """Where nobody listens nothing was sent: unavailable, and the repeat opens the session when somebody does."""
    request_id = fresh_id()
    with shop.proxy.away():
        refusal = refusal_of(shop, name, request_id=request_id)
    assert (refusal.code, refusal.info["reason"]) == (Code.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
    assert refusal.info["metadata"]["cause"] == "connect_failed"
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    assert_recovered(shop, name, refusal, request_id, 1)


def test_slow_answer(shop: Shop, name: str) -> None:
    """A provider that does its work and does not answer is waited for as long as the account says, and no longer."""
    shop.proxy.fail(SELLERS[name].create, hangs)
    request_id, began = fresh_id(), time.monotonic()
    refusal = refusal_of(shop, name, hasty=True, request_id=request_id)
    assert HASTY <= time.monotonic() - began < 15 * HASTY
    assert_lost(refusal, Fault(hangs, ("timeout",)))
    assert len(shop.proxy.seen) == 1
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    shop.proxy.heal()
    session = shop.create(name, hasty=True, request_id=request_id)
    assert (session.session_id, session.state) == (session_of(refusal), Session.STATE_OPEN)
    made = shop.emulators.made(SELLERS[name].provider)
    assert len(made) == (2 if shop.makes_again(name) else 1)


def test_rate_limit(shop: Shop, name: str) -> None:
    """A delay longer than the account waits is told to the caller, whose repeat opens the session after it."""
    shop.proxy.fail(SELLERS[name].create, answers(429, b"{}", Retry_After="1"))
    request_id, began = fresh_id(), time.monotonic()
    refusal = refusal_of(shop, name, hasty=True, request_id=request_id)
    assert (refusal.code, refusal.info["reason"], refusal.details["RetryInfo"]) == (
        Code.RESOURCE_EXHAUSTED,
        "PROVIDER_RATE_LIMITED",
        {"retryDelay": "1s"},
    )
    assert len(shop.proxy.seen) == 1
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    assert_recovered(shop, name, refusal, request_id, 1, hasty=True)
    assert time.monotonic() - began >= 1


def test_short_rate_limit(shop: Shop, name: str) -> None:
    """A short delay is waited for where a call may be repeated, and told to the caller elsewhere."""
    limited = answers(429, b"{}", Retry_After="1")

    def once(handler: object) -> None:
        shop.proxy.heal()
        limited(handler)  # type: ignore[arg-type]

    shop.proxy.fail(SELLERS[name].create, once)
    if shop.replays(name):
        assert shop.create(name).state == Session.STATE_OPEN
        assert len(shop.proxy.seen) == 2
    else:
        refusal = refusal_of(shop, name, request_id=fresh_id())
        assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}


def test_long_answers_take_no_memory(shop: Shop, name: str) -> None:
    """Eight answers of 10 MB at once are let go of at the limit: the process does not grow by three."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells and forgets what a process needed at most")
    shop.create(name)
    process = Path("/proc") / str(shop.service.pid)
    shop.proxy.fail(SELLERS[name].create, LOST["10 MB"].happens)
    refusal_of(shop, name, request_id=fresh_id())
    (process / "clear_refs").write_text("5")
    before = peak(process)
    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(refusal_of, shop, name, request_id=fresh_id()) for _ in range(8)]
        for call in calls:
            assert_lost(call.result(), LOST["10 MB"])
    assert peak(process) - before < 24 * MIB


def peak(process: Path) -> int:
    """Return the bytes of memory that a process has needed at most."""
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


# What was asked for by its id needs no id in the answer.
UNREAD = [case for case in LOST if case != "without an id"]


def only(name: str, shop: Shop, capability: str) -> Seller:
    """Return a call that declares a capability; skip another."""
    if not getattr(shop.capabilities(name), capability):
        pytest.skip(f"{name} declares no {capability}")
    return SELLERS[name]


@pytest.mark.parametrize("case", UNREAD)
def test_lost_answer_to_a_read(shop: Shop, name: str, case: str) -> None:
    """Reading is repeated where that may help; without an answer the session stays as it is known."""
    seller, fault = only(name, shop, "retrieve"), LOST[case]
    session = shop.create(name)
    shop.proxy.fail(seller.anything_else, fault.happens)
    shop.proxy.seen.clear()
    assert shop.read(session.session_id, refresh=True) == session
    # The HTTP library itself asks a second time where a connection closes without an answer to a read.
    asked = {len(shop.proxy.seen), len(shop.proxy.seen) / 2}
    assert (ATTEMPTS if fault.is_passing else 1) in asked
    shop.proxy.heal()
    assert shop.read(session.session_id, refresh=True).HasField("reconciled_time")


@pytest.mark.parametrize("case", UNREAD)
def test_lost_answer_to_an_end(shop: Shop, name: str, case: str) -> None:
    """The session is over whatever the provider answers; its page counts as payable until the end is verified."""
    seller, fault = only(name, shop, "cancel"), LOST[case]
    session = shop.create(name)
    shop.proxy.fail(seller.anything_else, fault.happens)
    request = pb.ExpireSessionRequest(session_id=session.session_id)
    ended = shop.stub.ExpireSession(request, timeout=TIMEOUT).session
    assert (ended.state, ended.provider_link) == (
        Session.STATE_EXPIRED,
        Session.PROVIDER_LINK_STILL_PAYABLE,
    )
    shop.proxy.heal()
    assert shop.read(session.session_id) == ended


def test_verified_end(shop: Shop, name: str) -> None:
    """Where all is well the page is closed in the same call, and the provider was asked to."""
    seller = only(name, shop, "cancel")
    session = shop.create(name)
    shop.proxy.seen.clear()
    request = pb.ExpireSessionRequest(session_id=session.session_id)
    ended = shop.stub.ExpireSession(request, timeout=TIMEOUT).session
    assert ended.provider_link == Session.PROVIDER_LINK_CLOSED
    asked: list[Asked] = shop.proxy.asked_for(seller.anything_else)
    assert asked


def test_nothing_was_a_bug(shop: Shop) -> None:
    """Whatever was answered, the service is well and nothing it did was unforeseen."""
    assert shop.create("dodo").state == Session.STATE_OPEN
    assert [line for line in shop.service.log() if line["level"] == "error"] == []
