"""One endpoint for several accounts: an event counts for the account that it names, or whose session it leads to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from service.core.errors import ProviderRejected, ProviderUnavailable, WebhookNotVerified
from service.core.model import State
from service.core.ports import ProviderEvent
from service.core.rules import Rules, build_rules
from service.core.unmatched import UnmatchedFilter
from service.core.webhooks import Receipt
from service.storage.registry import open_store
from tests.core.builders import request
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.core.scripted import ScriptedProvider


class Shop(ScriptedProvider):
    """An account that names its merchant, and knows its own events by it."""

    def __init__(self, account: str, secret: str) -> None:
        super().__init__()
        self.account = account
        self.secret = secret
        self.refuses: ProviderRejected | ProviderUnavailable | None = None

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        if headers.get("signature") != self.secret:
            raise WebhookNotVerified("wrong signature")

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        merchant = msgspec.json.decode(body).get("merchant", self.account)
        (event,) = super().parse(headers, body)
        if merchant == self.account:
            return [event]
        return [ProviderEvent(event_id=event.event_id, event_type="payment", is_elsewhere=True)]

    async def locate(self, event: ProviderEvent) -> str:
        if self.refuses is not None:
            raise self.refuses
        return await super().locate(event)


class Mall:
    """Three accounts: the endpoint's own, one that shares its secret, and one that does not."""

    def __init__(self, rules: Rules, shops: Mapping[str, Shop], seen: Observations) -> None:
        self.rules = rules
        self.shops = shops
        self.seen = seen

    async def opened(self, account: str) -> str:
        """Create a session and return its id."""
        asked = msgspec.structs.replace(request(), account=account)
        made = await self.rules.create_session(asked, caller="anonymous", deadline=None)
        return made.session.session_id

    async def state(self, session_id: str) -> State:
        """Return where a session stands."""
        return (await self.rules.get_session(session_id)).session.state

    async def deliver(self, **event: object) -> Receipt:
        """Deliver a payment to the endpoint of the first account."""
        paid = {"id": "e1", "payment": "p", "status": "PAID"} | event
        (receipt,) = await self.rules.receive_webhook(
            "scripted", "first", {"signature": "shared"}, msgspec.json.encode(paid)
        )
        return receipt

    async def kept(self) -> list[str]:
        """Return the accounts of the payments that nobody could place."""
        page = await self.rules.list_unmatched_payments(UnmatchedFilter(), 0, "")
        return [payment.account for payment in page.payments]


@pytest.fixture
async def mall(tmp_path: Path, empty_store: bytes) -> AsyncIterator[Mall]:
    """The accounts, on a store of their own."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty_store)
    store = await open_store(f"sqlite:///{path}")
    secrets = {"first": "shared", "second": "shared", "third": "its own"}
    shops = {account: Shop(account, secret) for account, secret in secrets.items()}
    seen = Observations()
    rules = build_rules(
        store=store,
        providers=shops.values(),
        observer=seen,
        clock=ManualClock(),
        ids=CountingIds(),
        secret=await store.secret(),
        sweep_interval=timedelta(seconds=1),
    )
    yield Mall(rules, shops, seen)
    await rules.background.drain(timedelta(seconds=60))
    await store.close()


async def test_an_event_counts_for_the_account_it_names(mall: Mall) -> None:
    """The second account's payment completes its session, though it came in at the first one's endpoint."""
    session_id = await mall.opened("second")
    assert Receipt.APPLIED is await mall.deliver(merchant="second", session=session_id)
    assert State.COMPLETED is await mall.state(session_id)
    assert Receipt.DUPLICATE is await mall.deliver(merchant="second", session=session_id)


async def test_an_event_that_names_nobody_follows_its_session(mall: Mall) -> None:
    """Where a provider names no merchant, our id or a reference leads to the account."""
    shop = mall.shops["second"]
    shop.parse = super(Shop, shop).parse  # type: ignore[method-assign]
    session_id = await mall.opened("second")
    assert Receipt.APPLIED is await mall.deliver(session=session_id, status="PROCESSING")
    mall.shops["first"].located = session_id
    assert Receipt.APPLIED is await mall.deliver(id="e2", payment="q")
    assert State.COMPLETED is await mall.state(session_id)


async def test_without_its_own_secret_no_account_is_served(mall: Mall) -> None:
    """Whoever knows one account's secret tells nothing of another's sessions: the event is said to be foreign."""
    session_id = await mall.opened("third")
    for event in ({"merchant": "third"}, {"merchant": "third", "id": "e2"}):
        assert Receipt.FOREIGN is await mall.deliver(**event, session=session_id)
    assert Receipt.UNMATCHED is await mall.deliver(id="e3", session=session_id)
    assert State.OPEN is await mall.state(session_id)
    assert await mall.kept() == ["first"]


async def test_an_event_of_a_merchant_nobody_set_up_is_foreign(mall: Mall) -> None:
    """It is acknowledged, told, and kept for nobody."""
    assert Receipt.FOREIGN is await mall.deliver(merchant="elsewhere")
    assert "webhook.foreign" in mall.seen.events
    assert await mall.kept() == []


async def test_an_unknown_session_of_the_second_account_is_kept_for_it(mall: Mall) -> None:
    """The merchant is known, so the payment is listed where its session may turn up."""
    assert Receipt.UNMATCHED is await mall.deliver(merchant="second", references=["session:x"])
    assert await mall.kept() == ["second"]


async def test_a_payment_that_the_provider_does_not_know_is_kept(mall: Mall) -> None:
    """Asked again it would be refused again; while the provider is away, the event is sent again."""
    mall.shops["first"].refuses = ProviderUnavailable("away")
    with pytest.raises(ProviderUnavailable):
        await mall.deliver(references=["order:o"])
    mall.shops["first"].refuses = ProviderRejected("no such order")
    assert Receipt.UNMATCHED is await mall.deliver(references=["order:o"])
    assert await mall.kept() == ["first"]
