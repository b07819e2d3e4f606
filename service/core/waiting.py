"""Events that came before their session was known: how they reach it once something leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from service.core import lifecycle
from service.core.ports import DisputeReport, PaymentReport, RefundReport, SubscriptionReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.core.inbox import InboxEvent
    from service.core.ports import Store
    from service.core.record import Record


class Waiting(Struct, frozen=True, kw_only=True):
    """What becomes of a session that one of an event's references turns out to lead to. Personal.

    `report` is applied, and `taught` are further references that lead there from then on.
    """

    report: PaymentReport | RefundReport | DisputeReport | SubscriptionReport | None = None
    taught: tuple[str, ...] = ()


async def waiting_for(
    store: Store, record: Record, references: Sequence[str]
) -> tuple[Sequence[InboxEvent], Sequence[str]]:
    """Return what waits for a session of some references, and these with what that teaches in turn."""
    provider, account = record.session.provider, record.session.account
    found: dict[str, InboxEvent] = {}
    known, new = list(references), list(references)
    while new:
        events = await store.find_waiting(provider, account, new)
        found |= {event.event_id: event for event in events}
        taught = [ref for event in events if event.waiting for ref in event.waiting.taught]
        new = [reference for reference in dict.fromkeys(taught) if reference not in known]
        known += new
    return sorted(found.values(), key=lambda event: event.received), known


def joined(record: Record, events: Iterable[InboxEvent]) -> Record:
    """Return the record after the reports that waited for it, each as of the time it was received."""
    session = record.session
    for event in events:
        if event.waiting is not None and event.waiting.report is not None:
            session = lifecycle.apply(session, event.waiting.report, event.received)
    if session is record.session:
        return record
    # What waited may be older than the session's latest change, and changes never go back in time.
    latest = max(session.update_time, record.session.update_time)
    return structs.replace(record, session=structs.replace(session, update_time=latest))
