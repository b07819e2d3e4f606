"""Events: verified, stored once, applied once, and found again whatever they carry."""

import asyncio

import msgspec
import pytest

from service.core.errors import (
    ProviderNotConfigured,
    ProviderOutcomeUnknown,
    ProviderOutcomeUnresolved,
    WebhookNotVerified,
)
from service.core.model import PaymentError, PaymentStatus, State
from service.core.webhooks import Receipt
from tests.core.builders import NOW, request
from tests.core.conftest import Service

GOOD = {"signature": "good"}


async def deliver(service: Service, **event: object) -> Receipt:
    """Deliver one signed event and return what became of it."""
    body = msgspec.json.encode(event)
    (receipt,) = await service.webhook("scripted", "default", GOOD, body)
    return receipt


async def opened(service: Service) -> str:
    """Create a session and return its id."""
    made = await service.create(request(), caller="anonymous", deadline=None)
    return made.session.session_id


async def test_payment_completes_the_session(service: Service) -> None:
    """A verified payment is durable and applied when the answer is given."""
    session_id = await opened(service)
    receipt = await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    stored = await service.store.find(session_id)
    assert stored
    assert (receipt, stored.session.state) == (Receipt.APPLIED, State.COMPLETED)


async def test_duplicates_are_applied_once(service: Service) -> None:
    """The same event a second time changes nothing and is acknowledged."""
    session_id = await opened(service)
    event = {"id": "e1", "session": session_id, "payment": "p", "status": "PAID"}
    await deliver(service, **event)
    version = (await service.get(session_id)).session.version
    assert Receipt.DUPLICATE is await deliver(service, **event)
    assert version == (await service.get(session_id)).session.version


async def test_news_without_change_is_stored_once(service: Service) -> None:
    """An event that says nothing new is acknowledged, and known when it comes again."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    stale = {"id": "e2", "session": session_id, "payment": "p", "status": "PROCESSING"}
    assert Receipt.APPLIED is await deliver(service, **stale)
    assert Receipt.DUPLICATE is await deliver(service, **stale)


async def test_references_lead_to_the_session(service: Service) -> None:
    """The provider's own ids find the session where ours is missing, and a payment teaches its id."""
    session_id = await opened(service)
    first = {"id": "e1", "references": ["session:ps_1"], "payment": "p", "status": "PROCESSING"}
    assert Receipt.APPLIED is await deliver(service, **first)
    later = {"id": "e2", "references": ["payment:p"], "payment": "p", "status": "PAID"}
    assert Receipt.APPLIED is await deliver(service, **later)
    assert State.COMPLETED is (await service.get(session_id)).session.state


async def test_a_payment_nothing_leads_to_is_asked_about(service: Service) -> None:
    """The provider may keep our id beside what an event names; known payments need no question."""
    session_id = await opened(service)
    service.provider.located = session_id
    event = {"references": ["order:o"], "payment": "p"}
    assert Receipt.APPLIED is await deliver(service, id="e1", status="PROCESSING", **event)
    paid = {"references": ["payment:p"], "payment": "p", "status": "PAID"}
    assert Receipt.APPLIED is await deliver(service, id="e2", **paid)
    assert service.provider.asked_for == ["e1"]
    assert State.COMPLETED is (await service.get(session_id)).session.state


async def test_unknown_sessions_events_are_kept(service: Service) -> None:
    """A payment nobody can place is stored, acknowledged and visible."""
    event = {"id": "e1", "session": "cs_unknown", "payment": "p", "status": "PAID"}
    assert Receipt.UNMATCHED is await deliver(service, **event)
    assert Receipt.DUPLICATE is await deliver(service, **event)
    assert "webhook.unmatched" in service.observations.events


async def test_events_no_session_can_use_are_ignored(service: Service) -> None:
    """Other events of the account are acknowledged and not stored."""
    assert Receipt.IGNORED is await deliver(service, id="e1")
    assert Receipt.IGNORED is await deliver(service, id="e1")


async def test_forged_and_misdirected_webhooks_are_refused(service: Service) -> None:
    """A wrong signature and an account nobody configured are errors, and change nothing."""
    session_id = await opened(service)
    body = msgspec.json.encode({"id": "e", "session": session_id, "payment": "p", "status": "PAID"})
    with pytest.raises(WebhookNotVerified):
        await service.webhook("scripted", "default", {"signature": "bad"}, body)
    with pytest.raises(ProviderNotConfigured):
        await service.webhook("scripted", "other", GOOD, body)
    with pytest.raises(ValueError, match="truncated"):
        await service.webhook("scripted", "default", GOOD, b"{")
    assert State.OPEN is (await service.get(session_id)).session.state


async def test_event_before_the_answer_of_the_create(service: Service) -> None:
    """A payment that overtakes the provider's answer proves the creation, and nothing of it is lost."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(opened(service))
    while not service.provider.calls:
        await asyncio.sleep(0)
    session_id = service.provider.calls[0].session_id
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    gate.set()
    await running
    view = await service.get(session_id)
    assert (view.session.state, view.session.provider_session_id) == (State.COMPLETED, "ps_1")


async def test_concurrent_events_of_one_session_are_all_applied(service: Service) -> None:
    """Events that race for one session are decided one after the other."""
    session_id = await opened(service)
    events = [
        deliver(service, id=f"e{n}", session=session_id, payment=f"p{n}", status="PAID")
        for n in range(10)
    ]
    assert await asyncio.gather(*events) == [Receipt.APPLIED] * 10
    assert len((await service.get(session_id)).session.payments) == 10


async def test_payment_on_a_failed_session_is_visible(service: Service) -> None:
    """An orphan's payment stays in sight on the session that was given up."""
    service.provider.script = [ProviderOutcomeUnknown("reset")]
    with pytest.raises(ProviderOutcomeUnresolved):
        await opened(service)
    session_id = service.provider.calls[0].session_id
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    view = await service.get(session_id)
    assert (view.session.state, view.session.payment_status) == (State.FAILED, PaymentStatus.PAID)


async def test_a_decline_without_a_reason_names_its_payment(service: Service) -> None:
    """The caller sees that an attempt failed, even where the provider does not say why."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p", status="FAILED")
    session = (await service.get(session_id)).session
    assert session.last_payment_error == PaymentError(provider_payment_id="p")


async def test_a_decline_that_is_told_after_the_payment_is_no_error(service: Service) -> None:
    """Events come in any order, and what a session shows does not depend on it."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p2", status="PAID")
    await deliver(service, id="e2", session=session_id, payment="p1", status="FAILED")
    session = (await service.get(session_id)).session
    assert (session.state, session.last_payment_error) == (State.COMPLETED, None)
    assert len(session.payments) == 2


async def test_refresh_asks_once_and_no_more_than_every_five_seconds(service: Service) -> None:
    """Reading with refresh learns what webhooks missed; callers at once share one question."""
    session_id = await opened(service)
    views = await asyncio.gather(*(service.get(session_id, refresh=True) for _ in range(5)))
    assert service.provider.retrieved == 1
    assert {State.COMPLETED} == {view.session.state for view in views}
    assert views[0].session.reconciled_time == NOW
    await service.get(session_id, refresh=True)
    assert service.provider.retrieved == 1
