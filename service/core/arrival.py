"""From an event of a provider to its session and into it, whoever tells of it: a webhook or a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.attempts import references
from service.core.ports import PaymentReport, RefundReport, SubscriptionReport
from service.core.unmatched import facts
from service.core.waiting import Waiting

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.events import Cause
    from service.core.inbox import InboxEvent
    from service.core.ledger import Ledger
    from service.core.ports import Provider, ProviderEvent, ProviderSession, Store
    from service.core.record import Record


async def session_of(store: Store, adapter: Provider, event: ProviderEvent) -> Record | None:
    """Return the record that our id or one of the provider's in an event leads to."""
    record = await session_named(store, adapter, event.session_id)
    return record or await store.find_by_reference(adapter.name, adapter.account, event.references)


async def session_named(store: Store, adapter: Provider, session_id: str) -> Record | None:
    """Return the record of an id of ours, where it is of this account."""
    record = await store.find(session_id) if session_id else None
    if record is None:
        return None
    names = (record.session.provider, record.session.account)
    return record if names == (adapter.name, adapter.account) else None


async def apply_event(
    ledger: Ledger,
    record: Record,
    event: ProviderEvent,
    now: datetime,
    *,
    cause: Cause,
    answer: ProviderSession | None = None,
    stored: InboxEvent | None = None,
) -> Record:
    """Apply an event, or what was read because of it, and store it in the same write. Raises EventKnown."""

    def decide(current: Record) -> Record:
        session = current.session
        if answer is not None:
            session = lifecycle.reconciled(session, answer, now)
        elif event.report is not None:
            session = lifecycle.apply(session, event.report, now)
        return structs.replace(current, session=session)

    learnt = _taught(event) if answer is None else references(answer)
    return await ledger.change(record, decide, cause=cause, references=learnt, event=stored)


def unmatched(stored: InboxEvent, event: ProviderEvent, adapter: Provider) -> InboxEvent:
    """Return an event as it is kept until its session turns up."""
    waiting = Waiting(report=event.report, taught=tuple(_taught(event)))
    return structs.replace(stored, facts=facts(event, live=adapter.live), waiting=waiting)


def _taught(event: ProviderEvent) -> list[str]:
    """Return what an applied event teaches: later events of these ids belong to the same session."""
    found = [reference for reference in event.references if reference.startswith("session:")]
    match event.report:
        case PaymentReport(payment_id=payment_id, subscription_id=subscription_id):
            # What its provider was asked by: earlier attempts at the same order may wait for it.
            found += [ref for ref in event.references if ref.startswith("order:")]
            found.append(f"payment:{payment_id}")
            if subscription_id:
                found.append(f"subscription:{subscription_id}")
        case SubscriptionReport(subscription_id=subscription_id) if subscription_id:
            found.append(f"subscription:{subscription_id}")
        case RefundReport(payment_id=payment_id):
            found.append(f"payment:{payment_id}")
    return found
