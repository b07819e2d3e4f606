"""A session's life at every call that makes a page: over real sockets, through the gate, by signed webhooks."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import provider_pb2, session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.sandbox.emulator import EmulatedSession, SessionEnded
from service.sandbox.registry import EMULATIONS
from tests.api.refusals import refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.provider import SERVE_ACCOUNTS, WEBHOOK_SECRET
from tests.e2e.wire.requests import TIMEOUT, create_request, metrics
from tests.e2e.wire.sellers import API_TOKEN, SELLERS, Emulators, emulators, webhook_url
from tests.e2e.wire.test_leaks import open_columns
from tests.test_standalone import free_port

pytestmark = pytest.mark.slow

Session = session_pb2.Session
PERSON = {
    "email": "canary.person@leak.example",
    "first_name": "CanaryFirst",
    "last_name": "CanaryLast",
}
PAID = Session.PAYMENT_STATUS_PAID


class Stall:
    """One call of one provider, its emulator, and a service that can be started and stopped."""

    def __init__(self, name: str, folder: Path, behind: Emulators, web: str) -> None:
        self.seller = SELLERS[name]
        self.address = behind.address
        self.folder = folder
        self._behind = behind
        registered = {}
        if EMULATIONS[self.seller.provider].registers_url:
            registered["webhook_url"] = webhook_url(f"http://{web}", self.seller.provider)
        self._settings = {
            "CHECKOUT_WEB_ADDRESS": web,
            "CHECKOUT_WEB_PUBLIC_URL": f"http://{web}",
            "CHECKOUT_LOG_LEVEL": "debug",
            **self.seller.settings(
                behind.address, "default", webhook_secrets=WEBHOOK_SECRET, **registered
            ),
        }

    @contextmanager
    def open(self) -> Iterator["Counter"]:
        """Run the service."""
        with (
            start(self.folder, self._settings, SERVE_ACCOUNTS) as service,
            service.channel() as channel,
        ):
            yield Counter(self, service, CheckoutServiceStub(channel))

    def buyer(self, action: str, session: Session) -> EmulatedSession:
        """Let the buyer do something, and every webhook of it be tried."""
        return self._behind.act(self.seller.provider, action, session.provider_session_id)


class Counter(NamedTuple):
    """Where the service answers."""

    stall: Stall
    service: ServiceProcess
    stub: CheckoutServiceStub

    def create(self, **others: object) -> Session:
        """Create a session."""
        request = create_request(**{**self.stall.seller.fields("default"), **others})
        session = self.stub.CreateSession(request, timeout=TIMEOUT).session
        assert session.state == Session.STATE_OPEN
        return session

    def read(self, session: Session, **fields: bool) -> Session:
        """Read a session."""
        request = pb.GetSessionRequest(session_id=session.session_id, **fields)
        return self.stub.GetSession(request, timeout=TIMEOUT).session

    def expire(self, session: Session) -> Session:
        """End a session."""
        request = pb.ExpireSessionRequest(session_id=session.session_id)
        return self.stub.ExpireSession(request, timeout=TIMEOUT).session

    def capabilities(self) -> provider_pb2.Capabilities:
        """Return what the call declares."""
        listed = self.stub.ListProviders(pb.ListProvidersRequest(), timeout=TIMEOUT)
        return listed.accounts[0].capabilities


@contextmanager
def stall_of(name: str, folder: Path) -> Iterator[Stall]:
    """Set up a call's emulator, and a service that nobody has started yet."""
    web = f"127.0.0.1:{free_port()}"
    with emulators(webhooks=f"http://{web}") as behind:
        yield Stall(name, folder, behind, web)


@pytest.fixture(scope="module", params=SELLERS)
def counter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counter]:
    """A running service for each call."""
    folder = tmp_path_factory.mktemp(request.param)
    with stall_of(request.param, folder) as stall, stall.open() as opened:
        yield opened


def fetched(url: str) -> tuple[int, str]:
    """Open an address as a browser does, as far as a page, and return its status and where it is."""
    for _ in range(5):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
        connection.request("GET", url.partition(parts.netloc)[2])
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status not in {301, 302, 303, 307}:
            return answer.status, url
        url = urljoin(url, answer.headers["Location"])
    raise AssertionError("it leads round and round")


def assert_paid(session: Session, emulated: EmulatedSession) -> None:
    """Check that what was paid stands on the session, to the last unit, by the provider's word."""
    assert (session.state, session.payment_status) == (Session.STATE_COMPLETED, PAID)
    (payment,) = [p for p in session.payments if p.status == session_pb2.Payment.STATUS_PAID]
    paid = next(p for p in reversed(emulated.payments))
    assert (payment.amount.amount, payment.amount.currency) == (paid.amount, paid.currency)
    assert session.amount_paid == payment.amount
    assert not payment.late
    assert payment.amount_check != session_pb2.Payment.AMOUNT_CHECK_BELOW
    assert not session.HasField("last_payment_error")


def test_paid(counter: Counter) -> None:
    """Our link leads to the provider's page; the payment there is news here at once, and the link is of no use then."""
    session = counter.create()
    status, page = fetched(session.checkout_url)
    assert (status, urlsplit(page).netloc) == (200, counter.stall.address)
    emulated = counter.stall.buyer("pay", session)
    assert_paid(counter.read(session), emulated)
    assert {delivery.state.value for delivery in emulated.deliveries} == {"delivered"}
    assert fetched(session.checkout_url) == (200, session.checkout_url)
    again = refused(lambda: counter.expire(session))
    assert again.info["reason"] == "SESSION_COMPLETED"


def test_declined_and_then_paid(counter: Counter) -> None:
    """A card that is declined leaves the session open and says why; the next one completes it."""
    session = counter.create()
    counter.stall.buyer("decline", session)
    declined = counter.read(session)
    assert (declined.state, declined.payment_status) == (
        Session.STATE_OPEN,
        Session.PAYMENT_STATUS_UNPAID,
    )
    emulated = counter.stall.buyer("pay", session)
    assert_paid(counter.read(session), emulated)


def test_ended_and_then_paid(counter: Counter) -> None:
    """After an end the gate is shut; where the page could not be closed, what is paid there is late and in sight."""
    session = counter.create()
    ended = counter.expire(session)
    assert (ended.state, ended.checkout_url) == (Session.STATE_EXPIRED, "")
    assert fetched(session.checkout_url) == (410, session.checkout_url)
    if counter.capabilities().cancel:
        assert ended.provider_link == Session.PROVIDER_LINK_CLOSED
        with pytest.raises(SessionEnded):
            counter.stall.buyer("pay", session)
        return
    assert ended.provider_link == Session.PROVIDER_LINK_STILL_PAYABLE
    counter.stall.buyer("pay", session)
    late = counter.read(session)
    assert (late.state, late.payment_status) == (Session.STATE_EXPIRED, PAID)
    assert [payment.late for payment in late.payments] == [True]
    assert late.end_time == ended.end_time


def test_nobody_is_told_of_the_buyer(counter: Counter) -> None:
    """Who bought, and what leads to a page or to money, stand in no log, no metric and no open column."""
    taken = counter.capabilities().request_fields
    known = {name: value for name, value in PERSON.items() if f"customer.{name}" in taken}
    usual = counter.stall.seller.fields("default").get("customer", {})
    session = counter.create(customer={**usual, **known})
    fetched(session.checkout_url)
    asked = counter.read(session, include_provider_url=True)
    counter.stall.buyer("decline", session)
    counter.stall.buyer("pay", session)
    paid = counter.read(session, refresh=True)
    # A shorter text may stand anywhere by chance.
    typed = [v for _, v in paid.collected.ListFields() if isinstance(v, str) and len(v) > 5]
    tokens = [session.checkout_url.rpartition("/")[2], API_TOKEN, WEBHOOK_SECRET]
    secrets = [*known.values(), *typed, *tokens]
    page = asked.provider_url.removeprefix("http://")
    assert page
    for told in (
        counter.service.stderr.text,
        counter.service.stdout.text,
        str(metrics(counter.service)),
    ):
        assert [value for value in secrets if value in told] == []
        assert page not in told
    stored = open_columns(counter.stall.folder)
    assert [value for value in secrets if value in stored] == []


@pytest.mark.parametrize("name", SELLERS)
def test_nobody_was_there_for_the_news(name: str, tmp_path: Path) -> None:
    """What was paid while nobody listened is found by asking, where the provider can be asked."""
    with stall_of(name, tmp_path) as stall:
        with stall.open() as counter:
            session, ended = counter.create(), counter.create()
            capabilities = counter.capabilities()
        if not capabilities.retrieve:
            pytest.skip(f"{name} declares no retrieve")
        emulated = stall.buyer("pay", session)
        stall.buyer("pay", ended)
        with stall.open() as counter:
            assert_paid(counter.read(session, refresh=True), emulated)
            if capabilities.cancel:
                too_late = refused(lambda: counter.expire(ended))
                assert too_late.code == grpc.StatusCode.FAILED_PRECONDITION
                assert too_late.info["reason"] == "SESSION_COMPLETED"
                assert counter.read(ended).state == Session.STATE_COMPLETED
