"""Sessions at the emulated SellApp, led by the service's own rules on a real store."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from service.core.errors import (
    ProviderOutcomeUnknown,
    ProviderOutcomeUnresolved,
    ProviderRejected,
)
from service.core.model import (
    CreateRequest,
    ExpiryEnforcement,
    LineItem,
    PaymentStatus,
    ProviderLink,
    Session,
    State,
)
from service.core.page import provider_link
from service.core.ports import CreateCall, ProviderSession, Step
from service.core.rules import Rules, build_rules
from service.providers.http import ProviderHttp
from service.providers.sellapp.adapter import SellappAdapter
from service.sandbox.sellapp.emulator import SellappEmulator
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.providers.sandbox import Place
from tests.providers.sellapp.documents import SHOP, STORE, named, selling
from tests.providers.suite import settings_for

FREE = selling(LineItem(product_id="4323"))


class HardOfHearing(SellappAdapter):
    """The adapter on a line that loses answers and no requests."""

    loses: Literal["", "invoice", "checkout"] = ""

    async def create(self, call: CreateCall) -> ProviderSession | Step:
        """Create, and do not hear the answer where a test says so."""
        answer = await super().create(call)
        told = "invoice" if isinstance(answer, Step) else "checkout"
        if told == self.loses:
            raise ProviderOutcomeUnknown("lost", metadata=self._names)
        return answer


class Shop:
    """A service with an account at the emulated SellApp."""

    def __init__(
        self, rules: Rules, adapter: HardOfHearing, emulator: SellappEmulator, place: Place
    ) -> None:
        self.rules = rules
        self.adapter = adapter
        self.emulator = emulator
        self._place = place

    async def create(self, request: CreateRequest = SHOP, **fields: object) -> Session:
        """Create a session that can be asked for again."""
        asked = msgspec.structs.replace(request, **({"request_id": "r1"} | fields))
        made = await self.rules.create_session(asked, caller="anonymous", deadline=None)
        return made.session

    async def lost(self, request: CreateRequest = SHOP) -> None:
        """Create a session whose answer nobody hears."""
        with pytest.raises(ProviderOutcomeUnknown):
            await self.create(request)
        self.adapter.loses = ""

    async def pay(self, session: Session) -> Session:
        """Pay at the processor, and return the session once its webhooks were taken."""
        for delivery in self.emulator.pay(session.provider_session_id):
            await delivery.tried.wait()
        for hook in self._place.hooks:
            await self.rules.receive_webhook("sellapp", "default", hook.headers, hook.body)
        return await self.read(session)

    async def read(self, session: Session, *, refresh: bool = False) -> Session:
        """Read a session, perhaps after asking SellApp."""
        return (await self.rules.get_session(session.session_id, refresh=refresh)).session

    def word(self, session: Session) -> str:
        """Return the status of the session's invoice."""
        store = self.emulator.catalogue.stores["demo-store"]
        invoice = self.emulator.find(session.provider_session_id, store)
        assert invoice is not None
        return invoice.status


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated, empty store."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def clock() -> ManualClock:
    """The service's clock, which begins when the sandbox's stands."""
    return ManualClock()


@pytest.fixture
async def shop(
    place: Place, tmp_path: Path, empty: bytes, clock: ManualClock
) -> AsyncIterator[Shop]:
    """A service of its own for one test."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty)
    store = await open_store(f"sqlite:///{path}")
    account = settings_for(place, "sellapp", own=STORE)
    adapter = _adapter(account.base_url or "", place)
    rules = build_rules(
        store=store,
        providers=[adapter],
        observer=Observations(),
        clock=clock,
        ids=CountingIds(),
        secret=await store.secret(),
        sweep_interval=timedelta(seconds=1),
    )
    emulator = place.sandbox.emulators["sellapp"]
    assert isinstance(emulator, SellappEmulator)
    yield Shop(rules, adapter, emulator, place)
    await rules.background.drain(timedelta(seconds=60))
    await adapter.close()
    await store.close()


def _adapter(url: str, place: Place) -> HardOfHearing:
    account = settings_for(place, "sellapp", own=STORE)
    http = ProviderHttp.of(
        account,
        base_url=url,
        authorize=lambda key: {"Authorization": f"Bearer {key}", "X-STORE": STORE["store"]},
        chance=lambda: 0.0,
        observe=lambda *_: None,
    )
    return HardOfHearing(settings=account, base_url=url, http=http)


async def test_a_buyer_pays(shop: Shop) -> None:
    """Two calls open the session, and the hints of two webhooks complete it once."""
    session = await shop.create()
    assert (session.state, bool(session.provider_url)) == (State.OPEN, True)
    assert session.expiry_enforcement is ExpiryEnforcement.PROVIDER
    paid = await shop.pay(session)
    assert (paid.state, paid.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    assert [payment.provider_payment_id for payment in paid.payments] == [
        session.provider_session_id
    ]
    assert paid.provider_details["status"] is not None


@pytest.mark.parametrize("word", ["COMPLETED", "PAID"])
async def test_nothing_due_completes_at_once(word: str, shop: Shop) -> None:
    """There is no page, and no payment is required."""
    shop.emulator.habits = msgspec.structs.replace(shop.emulator.habits, free_status=word)
    session = await shop.create(FREE)
    assert (session.state, session.payment_status) == (
        State.COMPLETED,
        PaymentStatus.NO_PAYMENT_REQUIRED,
    )
    assert (session.provider_url, session.payments) == ("", ())


async def test_a_lost_invoice_is_found_and_checked_out(shop: Shop) -> None:
    """The retry makes no second invoice, and the buyer pays the first."""
    shop.adapter.loses = "invoice"
    await shop.lost()
    session = await shop.create()
    assert (session.state, shop.emulator.requests.creates) == (State.OPEN, 1)
    assert (await shop.pay(session)).state is State.COMPLETED


async def test_of_several_invoices_none_is_taken(shop: Shop) -> None:
    """Which one was made is not for this service to guess."""
    shop.adapter.loses = "invoice"
    await shop.lost()
    await shop.adapter.create(_call(SHOP))
    with pytest.raises(ProviderOutcomeUnresolved):
        await shop.create()
    assert shop.emulator.requests.creates == 2


async def test_a_lost_checkout_is_asked_for_again(shop: Shop) -> None:
    """SellApp hands the same page out."""
    shop.adapter.loses = "checkout"
    await shop.lost()
    session = await shop.create()
    assert (session.state, shop.emulator.requests.creates) == (State.OPEN, 1)


async def test_a_lost_checkout_that_was_free_is_not_repeated(shop: Shop) -> None:
    """Nobody repeats it; asking SellApp tells that the purchase is done."""
    shop.adapter.loses = "checkout"
    with pytest.raises(ProviderOutcomeUnresolved) as caught:
        await shop.create(FREE)
    found = (await shop.rules.get_session(caught.value.metadata["session_id"])).session
    assert found.state is State.UNRESOLVED
    known = await shop.read(found, refresh=True)
    assert (known.state, known.payment_status) == (
        State.COMPLETED,
        PaymentStatus.NO_PAYMENT_REQUIRED,
    )


async def test_an_ended_session_is_voided(shop: Shop) -> None:
    """Its page is closed once SellApp says so."""
    session = await shop.create()
    view = await shop.rules.expire_session(session.session_id)
    assert view.session.state is State.EXPIRED
    assert provider_link(view.session, view.now) is ProviderLink.CLOSED
    assert shop.word(session) == "VOIDED"


async def test_a_session_that_runs_out_is_voided(shop: Shop, clock: ManualClock) -> None:
    """A shorter life than SellApp's is ended there by the sweep."""
    session = await shop.create(ttl=timedelta(minutes=10))
    clock.time += timedelta(minutes=11)
    # The end is recorded first, and the page closed by a sweep after it.
    for _ in range(2):
        await shop.rules.sweep.sweep()
    await shop.rules.background.drain(timedelta(seconds=60))
    ended = await shop.read(session)
    assert (ended.state, ended.link_closed) == (State.EXPIRED, True)
    assert shop.word(session) == "VOIDED"


async def test_an_end_of_sellapps_that_comes_first_is_told(shop: Shop) -> None:
    """The session says until when its page takes payments."""
    session = await shop.create(ttl=timedelta(hours=20))
    assert session.payable_until == session.create_time + timedelta(hours=9)
    assert "ENDS_EARLIER" in {warning.code for warning in session.warnings}
    assert (await shop.read(session)).warnings == session.warnings


async def test_a_named_invoice_is_only_checked_out(shop: Shop) -> None:
    """The cart is compared, and a refused create leaves the invoice as it was."""
    step = await shop.adapter.create(_call(SHOP))
    with pytest.raises(ProviderRejected):
        await shop.create(named(step.provider_session_id, LineItem(product_id="4322")))
    session = await shop.create(named(step.provider_session_id), request_id="r2")
    assert (session.state, shop.emulator.requests.creates) == (State.OPEN, 1)
    assert (await shop.pay(session)).state is State.COMPLETED


def _call(request: CreateRequest) -> CreateCall:
    return CreateCall(
        session_id="cs_other",
        attempt=1,
        request=request,
        expire_time=ManualClock().now() + timedelta(hours=1),
    )
