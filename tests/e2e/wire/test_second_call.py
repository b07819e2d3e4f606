"""A create of two calls, whose second meets every fault: one invoice is made, and one is paid."""

from collections.abc import Iterator

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from service.sandbox.app import PREFIX
from tests.e2e.wire.fault_proxy import Asked
from tests.e2e.wire.faults import LOST, answers, hangs
from tests.e2e.wire.requests import TIMEOUT, fresh_id
from tests.e2e.wire.sellers import SELLERS
from tests.e2e.wire.shop import Shop, running_shop
from tests.e2e.wire.test_fault_matrix import ATTEMPTS, assert_lost, refusal_of, session_of

pytestmark = pytest.mark.slow

NAME = "sellapp"
SELLAPP = SELLERS[NAME]
LISTING = f"GET {PREFIX}{SELLAPP.provider}{SELLAPP.creates}[?].*"
FREE = {"line_items": [{"product_id": "4323", "quantity": 1}]}
Session = session_pb2.Session
PAID = Session.PAYMENT_STATUS_PAID


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop for all tests of this module."""
    with running_shop(tmp_path_factory.mktemp("second")) as opened:
        yield opened


@pytest.fixture
def shop(running: Shop) -> Shop:
    """That shop, where all is well, and a buyer whom nobody there has seen."""
    running.proxy.reset()
    running.emulators.begin()
    return running._replace(buyer=fresh_id())


def asked_for_checkouts(shop: Shop) -> list[Asked]:
    """Return what the service sent to go to a checkout."""
    return shop.proxy.asked_for(SELLAPP.page)


def assert_goes_on(shop: Shop, session_id: str, request_id: str, *, hasty: bool = False) -> None:
    """Check that the caller's repeat opens the session on the one invoice, which is paid once."""
    begun = shop.read(session_id)
    assert begun.state == Session.STATE_CREATING
    shop.proxy.heal()
    session = shop.create(NAME, hasty=hasty, request_id=request_id)
    assert (session.session_id, session.state) == (session_id, Session.STATE_OPEN)
    assert session.provider_session_id == begun.provider_session_id
    assert session.checkout_url
    assert shop.emulators.made(NAME) == [session.provider_session_id]
    assert len(shop.proxy.asked_for(SELLAPP.create)) == 1
    shop.emulators.act(NAME, "pay", session.provider_session_id)
    paid = shop.read(session_id, refresh=True)
    assert (paid.state, paid.payment_status) == (Session.STATE_COMPLETED, PAID)
    assert len(paid.payments) == 1


@pytest.mark.parametrize("case", LOST)
def test_lost_checkout(shop: Shop, case: str) -> None:
    """It is asked for again, at once where that may help; the caller's repeat goes on from the one invoice."""
    fault = LOST[case]
    shop.proxy.fail(SELLAPP.page, fault.happens)
    request_id = fresh_id()
    refusal = refusal_of(shop, NAME, request_id=request_id)
    assert_lost(refusal, fault)
    assert len(asked_for_checkouts(shop)) == (ATTEMPTS if fault.is_passing else 1)
    assert shop.emulators.made(NAME) == [shop.read(session_of(refusal)).provider_session_id]
    assert_goes_on(shop, session_of(refusal), request_id)


def test_slow_checkout(shop: Shop) -> None:
    """A checkout that is not answered in time is gone on with."""
    shop.proxy.fail(SELLAPP.page, hangs)
    request_id = fresh_id()
    refusal = refusal_of(shop, NAME, hasty=True, request_id=request_id)
    assert (refusal.code, refusal.info["reason"]) == (
        grpc.StatusCode.UNAVAILABLE,
        "PROVIDER_OUTCOME_UNKNOWN",
    )
    assert refusal.info["metadata"]["cause"].startswith("timeout")
    assert_goes_on(shop, session_of(refusal), request_id, hasty=True)


def test_rate_limited_checkout(shop: Shop) -> None:
    """The caller is told for how long to wait, and the invoice waits with them."""
    shop.proxy.fail(SELLAPP.page, answers(429, b"{}", Retry_After="1"))
    request_id = fresh_id()
    refusal = refusal_of(shop, NAME, hasty=True, request_id=request_id)
    assert (refusal.code, refusal.info["reason"], refusal.details["RetryInfo"]) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "PROVIDER_RATE_LIMITED",
        {"retryDelay": "1s"},
    )
    assert_goes_on(shop, session_of(refusal), request_id, hasty=True)


@pytest.mark.parametrize("case", ["500", "reset after the request", "HTML"])
def test_lost_checkout_and_nobody_comes_back(shop: Shop, case: str) -> None:
    """The session has failed and the invoice is its own: it is to be closed, and what is paid by then is in sight."""
    fault = LOST[case]
    shop.proxy.fail(SELLAPP.page, fault.happens)
    refusal = refusal_of(shop, NAME)
    assert refusal.info["reason"] == "PROVIDER_OUTCOME_UNRESOLVED"
    failed = shop.read(session_of(refusal))
    assert (failed.state, failed.provider_link) == (
        Session.STATE_FAILED,
        Session.PROVIDER_LINK_STILL_PAYABLE,
    )
    assert shop.emulators.made(NAME) == [failed.provider_session_id]
    if fault.is_made:
        shop.proxy.heal()
        shop.emulators.act(NAME, "pay", failed.provider_session_id)
        paid = shop.read(failed.session_id, refresh=True)
        assert (paid.state, paid.payment_status) == (Session.STATE_FAILED, PAID)


@pytest.mark.parametrize("case", LOST)
def test_lost_checkout_of_nothing_due(shop: Shop, case: str) -> None:
    """It may have ended the purchase, so nobody repeats it: asking tells, and an end is taken where it did not."""
    fault = LOST[case]
    shop.proxy.fail(SELLAPP.page, fault.happens)
    request_id = fresh_id()
    first, again = (refusal_of(shop, NAME, cart=FREE, request_id=request_id) for _ in range(2))
    for refusal in (first, again):
        assert (refusal.code, refusal.info["reason"], set(refusal.details)) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "PROVIDER_OUTCOME_UNRESOLVED",
            {"ErrorInfo"},
        )
        assert refusal.info["metadata"]["cause"].startswith(fault.causes)
    assert len(asked_for_checkouts(shop)) == 1
    session_id = session_of(first)
    assert shop.read(session_id).state == Session.STATE_UNRESOLVED
    shop.proxy.heal()
    asked = shop.read(session_id, refresh=True)
    assert len(shop.emulators.made(NAME)) == 1
    if fault.is_made:
        assert (asked.state, asked.payment_status) == (
            Session.STATE_COMPLETED,
            Session.PAYMENT_STATUS_NO_PAYMENT_REQUIRED,
        )
    else:
        assert asked.state == Session.STATE_UNRESOLVED
        request = pb.ExpireSessionRequest(session_id=session_id)
        ended = shop.stub.ExpireSession(request, timeout=TIMEOUT).session
        assert (ended.state, ended.provider_link) == (
            Session.STATE_EXPIRED,
            Session.PROVIDER_LINK_CLOSED,
        )


@pytest.mark.parametrize("case", [case for case in LOST if case != "without an id"])
def test_lost_invoice_and_a_search_that_fails(shop: Shop, case: str) -> None:
    """As long as nobody can tell whether an invoice was made, none is; once somebody can, the first is gone on with."""
    fault, request_id = LOST[case], fresh_id()
    shop.proxy.fail(SELLAPP.create, LOST["reset after the request"].happens)
    lost = refusal_of(shop, NAME, request_id=request_id)
    shop.proxy.fail(LISTING, fault.happens)
    refusal = refusal_of(shop, NAME, request_id=request_id)
    assert session_of(refusal) == session_of(lost)
    assert_lost(refusal, fault)
    assert len(shop.emulators.made(NAME)) == 1
    assert shop.read(session_of(refusal)).state == Session.STATE_CREATING
    shop.proxy.heal()
    session = shop.create(NAME, request_id=request_id)
    assert shop.emulators.made(NAME) == [session.provider_session_id]
    assert (session.session_id, session.state) == (session_of(lost), Session.STATE_OPEN)


def test_nothing_was_a_bug(shop: Shop) -> None:
    """Whatever was answered, the service is well and nothing it did was unforeseen."""
    assert shop.create(NAME).state == Session.STATE_OPEN
    assert [line for line in shop.service.log() if line["level"] == "error"] == []
