"""Every webhook of every provider is lost, and the sessions end right all the same."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.provider import SERVE_ACCOUNTS
from tests.e2e.wire.requests import TIMEOUT, create_request
from tests.e2e.wire.sellers import SELLERS, Emulators, emulators

pytestmark = pytest.mark.slow

Session = session_pb2.Session
PATIENCE = 30.0
# Declines that no list tells: SellApp tells nobody, and until a checkout is paid Square hides whose order it is.
UNTOLD = ("sellapp", "square_checkouts")


class Shop(NamedTuple):
    """A service that no webhook reaches, and the emulated providers that send them."""

    service: ServiceProcess
    stub: CheckoutServiceStub
    behind: Emulators

    def sellers(self) -> list[str]:
        """Return the calls whose provider lists payments."""
        listed = self.stub.ListProviders(pb.ListProvidersRequest(), timeout=TIMEOUT).accounts
        return [account.account for account in listed if account.capabilities.lists_payments]

    def create(self, name: str) -> Session:
        """Create a session by a call."""
        request = create_request(**SELLERS[name].fields(name))
        return self.stub.CreateSession(request, timeout=TIMEOUT).session

    def act(self, name: str, action: str, session: Session) -> None:
        """Let the buyer do something, of which every webhook is lost."""
        done = self.behind.act(SELLERS[name].provider, action, session.provider_session_id)
        assert {delivery.last_http_status for delivery in done.deliveries} == {0}

    def read(self, session: Session) -> Session:
        """Read a session, without asking its provider."""
        request = pb.GetSessionRequest(session_id=session.session_id)
        return self.stub.GetSession(request, timeout=TIMEOUT).session

    def until(self, session: Session, is_right: Callable[[Session], bool]) -> Session:
        """Read a session until it is as it should be."""
        deadline = time.monotonic() + PATIENCE
        while not is_right(found := self.read(session)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found


class Town:
    """The providers, which outlive the service."""

    def __init__(self, folder: Path, behind: Emulators) -> None:
        self._folder = folder
        self._behind = behind
        self._settings = {"CHECKOUT_RECONCILE_INTERVAL": "500ms"}
        for name, seller in SELLERS.items():
            self._settings |= seller.settings(behind.address, name)

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """Run the service."""
        with (
            start(self._folder, self._settings, SERVE_ACCOUNTS) as service,
            service.channel() as channel,
        ):
            yield Shop(service, CheckoutServiceStub(channel), self._behind)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Providers whose webhooks lead to where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with emulators(webhooks=nowhere) as behind:
        yield Town(tmp_path, behind)


def is_paid(session: Session) -> bool:
    """Tell whether a session is completed."""
    return session.state == Session.STATE_COMPLETED


def test_every_webhook_is_lost(town: Town) -> None:
    """Paid, declined, late and untouched sessions end as they would have by webhook, a crash included."""
    with town.open() as shop:
        names = shop.sellers()
        assert {"dodo", "square_links", "square_checkouts"} <= {*names}
        paid, declined, untouched, ended, kept = (
            {name: shop.create(name) for name in names} for _ in range(5)
        )
        late = {name: session for name, session in ended.items() if _stays_payable(shop, session)}
        assert {"dodo", "square_checkouts"} <= late.keys()
        for name in names:
            shop.act(name, "pay", paid[name])
            shop.act(name, "decline", declined[name])
        for name, session in late.items():
            shop.act(name, "pay", session)
        for name in names:
            found = shop.until(paid[name], is_paid)
            assert (name, found.payment_status) == (name, Session.PAYMENT_STATUS_PAID)
            assert found.amount_paid.amount > 0
            if name not in UNTOLD:
                shop.until(declined[name], lambda s: s.HasField("last_payment_error"))
            assert (name, shop.read(declined[name]).state) == (name, Session.STATE_OPEN)
        for name, session in late.items():
            found = shop.until(session, lambda s: bool(s.payments))
            assert (name, found.state, found.payments[0].late) == (
                name,
                Session.STATE_EXPIRED,
                True,
            )
        shop.service.kill()
    for name, session in kept.items():
        shop.act(name, "pay", session)
    with town.open() as shop:
        for name in names:
            shop.until(kept[name], is_paid)
            assert shop.read(untouched[name]).state == Session.STATE_OPEN
            assert len(shop.read(paid[name]).payments) == 1
        shop.service.wait_for_log("reconcile.found")
        assert shop.service.log("webhook.received") == []
        assert shop.service.log("reconcile.failed") == []


def _stays_payable(shop: Shop, session: Session) -> bool:
    request = pb.ExpireSessionRequest(session_id=session.session_id)
    ended = shop.stub.ExpireSession(request, timeout=TIMEOUT).session
    return ended.provider_link == Session.PROVIDER_LINK_STILL_PAYABLE
