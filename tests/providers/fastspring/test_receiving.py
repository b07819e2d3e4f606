"""A batch of FastSpring's through the real rules and store: acknowledged is exactly what was stored."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.core.model import Money, PaymentStatus, State
from service.core.ports import Provider
from service.core.webhooks import PartlyTaken, Receipt
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.providers.fastspring.documents import batch, event
from tests.providers.fastspring.shop import emulator, selling
from tests.providers.sandbox import Hook, Place


@pytest.fixture
async def rules(fastspring: Provider, tmp_path: Path) -> AsyncIterator[Service]:
    """The use cases of a service with the sandbox's account of FastSpring."""
    url = f"sqlite:///{tmp_path / 'checkout.db'}"
    migrate(url)
    store = await open_store(url)
    provider: Any = fastspring
    service = await serving(store, ManualClock(), provider, CountingIds())
    yield service
    await service.background.drain(timedelta(seconds=60))
    await store.close()


async def receive(rules: Service, hook: Hook) -> list[Receipt]:
    """Deliver a webhook as it came in."""
    return [*await rules.webhook("fastspring", "default", hook.headers, hook.body)]


async def bought(rules: Service, place: Place, path: str = "demo-subscription") -> str:
    """Create a session, buy it, and return its id once the webhook is there."""
    made = await rules.create(selling(path), caller="anonymous", deadline=None)
    session = made.session
    for delivery in emulator(place).pay(session.provider_session_id):
        await delivery.tried.wait()
    return session.session_id


async def test_a_batch_completes_the_session(rules: Service, place: Place) -> None:
    """Order and subscription are applied, and known when the batch comes again."""
    session_id = await bought(rules, place)
    (hook,) = place.hooks
    assert await receive(rules, hook) == [Receipt.APPLIED, Receipt.APPLIED]
    session = (await rules.get(session_id)).session
    assert (session.state, session.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    assert session.provider_subscription_id.startswith("SUB")
    assert await receive(rules, hook) == [Receipt.DUPLICATE, Receipt.DUPLICATE]


async def test_asking_again_keeps_what_the_order_does_not_say(rules: Service, place: Place) -> None:
    """An order tells no sum before discounts; the session it came from does."""
    session_id = await bought(rules, place)
    await receive(rules, place.hooks[0])
    assert (await rules.get(session_id)).session.totals.subtotal is None
    totals = (await rules.get(session_id, refresh=True)).session.totals
    assert (totals.subtotal, totals.total) == (Money(999, "USD"), Money(1081, "USD"))


async def test_what_could_not_be_read_is_not_acknowledged(rules: Service, place: Place) -> None:
    """The order of a spoilt batch is taken, and only it is named."""
    emulator(place).breaks_events = True
    session_id = await bought(rules, place)
    (hook,) = place.hooks
    with pytest.raises(PartlyTaken) as caught:
        await receive(rules, hook)
    order, _ = msgspec.json.decode(hook.body)["events"]
    assert caught.value.event_ids == (order["id"],)
    assert (await rules.get(session_id)).session.state is State.COMPLETED


async def test_an_event_without_tags_finds_its_session(rules: Service, place: Place) -> None:
    """FastSpring is asked for the order, whose tags lead there."""
    emulator(place).sends_bare_events = True
    session_id = await bought(rules, place, "demo-product")
    (hook,) = place.hooks
    assert await receive(rules, hook) == [Receipt.APPLIED]
    assert (await rules.get(session_id)).session.state is State.COMPLETED


async def test_refunds_and_disputes_stand_beside_the_payment(rules: Service, place: Place) -> None:
    """They name the order alone, which leads to the session."""
    session_id = await bought(rules, place, "demo-product")
    await receive(rules, place.hooks[0])
    session = (await rules.get(session_id)).session
    for deliveries in (
        emulator(place).refund(session.provider_session_id, 500),
        emulator(place).dispute(session.provider_session_id),
    ):
        for delivery in deliveries:
            await delivery.tried.wait()
        assert await receive(rules, place.hooks[-1]) == [Receipt.APPLIED]
    session = (await rules.get(session_id)).session
    assert session.state is State.COMPLETED
    assert [refund.amount.amount for refund in session.refunds.values() if refund.amount] == [500]
    assert len(session.disputes) == 1


async def test_an_order_of_another_mode_completes_nothing(rules: Service, place: Place) -> None:
    """A live order with the id of a test session is told by a warning."""
    made = await rules.create(selling("demo-product"), caller="anonymous", deadline=None)
    tags = {"checkout_session_id": made.session.session_id}
    body = batch(event("order_completed", tags=tags) | {"live": True})
    signed = emulator(place).events._sender._signer.headers(url="", webhook_id="", body=body)
    headers = {name.lower(): value for name, value in signed.items()}
    assert await receive(rules, Hook(headers, body)) == [Receipt.APPLIED]
    session = (await rules.get(made.session.session_id)).session
    assert (session.state, session.payments) == (State.OPEN, ())
    assert "LIVE_MISMATCH" in [warning.code for warning in session.warnings]
