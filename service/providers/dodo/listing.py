"""From Dodo's list of payments to events: what is listed tells less of a payment than a webhook does."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import msgspec

from service.core.model import Money
from service.core.ports import PaymentReport, ProviderEvent
from service.core.window import Listed, Window
from service.providers.answers import converted
from service.providers.dodo import payloads, webhooks
from service.providers.dodo.transformers import (
    our_session_id,
    payment_of,
    payment_state,
)

EVENT = "listed"
PAGE_SIZE = 100


class Page(msgspec.Struct, frozen=True):
    """The answer of `GET /payments`; one malformed item must not hide the others."""

    items: list[object]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What a list tells of a payment; it names no checkout session and no reason for a decline."""

    payment_id: payloads.Id
    total_amount: payloads.Amount
    currency: payloads.CurrencyCode
    created_at: payloads.Time
    status: str | None = None
    subscription_id: str | None = None


def path(window: Window) -> str:
    """Return the path of a page of the payments created in a window."""
    query = {
        "created_at_gte": _text(window.since),
        "created_at_lte": _text(window.until),
        "page_size": PAGE_SIZE,
        "page_number": window.page or "0",
    }
    return f"/payments?{urlencode(query)}"


def listed(body: object, window: Window) -> Listed:
    """Read a page; payments without our id are somebody else's. Raises ValueError when it is unusable."""
    items = converted(body, Page).items
    events = [
        _event(item, session_id)
        for item in items
        if isinstance(item, dict) and (session_id := our_session_id(item.get("metadata")))
    ]
    is_last = len(items) < PAGE_SIZE
    return Listed(events, "" if is_last else str(int(window.page or "0") + 1))


def whole_path(event: ProviderEvent) -> str:
    """Return the path of the payment that an event of the list is about."""
    names = (r for r in event.references if r.startswith("payment:"))
    return f"/payments/{quote(next(names).removeprefix('payment:'), safe='')}"


def whole(event: ProviderEvent, body: object) -> ProviderEvent:
    """Return the event as a webhook tells it. Raises ValueError when the payment is unusable."""
    reading = webhooks.payment_reading(payment_of(body), "")
    return msgspec.structs.replace(
        event,
        session_id=reading.session_id,
        references=reading.references,
        report=reading.report,
        is_hint=False,
    )


def _event(data: dict[str, object], session_id: str) -> ProviderEvent:
    try:
        item = converted(data, Item)
    except ValueError as error:
        return ProviderEvent(
            event_id="", event_type=EVENT, session_id=session_id, unreadable=str(error)
        )
    report = _report(item)
    return ProviderEvent(
        event_id=f"{item.payment_id}:{item.status or ''}",
        event_type=EVENT,
        occurred=item.created_at,
        session_id=session_id,
        references=(f"payment:{item.payment_id}",),
        report=report,
        is_hint=report is not None,
    )


def _report(item: Item) -> PaymentReport | None:
    state = payment_state(item.status)
    if state is None:
        return None
    return PaymentReport(
        payment_id=item.payment_id,
        status=state,
        amount=Money(item.total_amount, item.currency),
        payment_time=item.created_at,
        subscription_id=item.subscription_id or "",
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
