"""From SellApp's list of invoices to events: it knows no times to filter by, and is read from the newest on."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from service.core.ports import PaymentReport, ProviderEvent, SubscriptionReport
from service.core.window import Listed, Window
from service.providers.answers import converted
from service.providers.sellapp import payloads
from service.providers.sellapp.transformers import (
    authorisation,
    bare,
    is_authorised,
    payment_report,
    word,
)

EVENT = "listed"
INVOICES = "/v2/invoices"
PAGE_SIZE = 100


class Page(msgspec.Struct, frozen=True):
    """The answer of `GET /v2/invoices`; one malformed invoice must not hide the others."""

    data: list[object]


def path(page: int, email: str = "") -> str:
    """Return the path of a page of invoices, newest first, perhaps of one buyer only."""
    query = {"email": email} if email else {}
    return f"{INVOICES}?{urlencode({**query, 'sort': '-created_at', 'limit': PAGE_SIZE, 'page': page})}"


def listed(body: object, window: Window, lifetime: timedelta) -> Listed:
    """Read a page: what changed in a window is of invoices that are no older than its begin and a lifetime.

    Raises ValueError when the page is unusable.
    """
    items = converted(body, Page).data
    found = [_invoice(item) for item in items]
    oldest = next((one for one in reversed(found) if isinstance(one, payloads.Invoice)), None)
    is_last = len(items) < PAGE_SIZE or (oldest and is_older(oldest, window.since - lifetime))
    events = (_told(one, window) for one in found)
    return Listed(
        [event for event in events if event is not None],
        "" if is_last else str(int(window.page or "1") + 1),
    )


def whole(event: ProviderEvent, invoice: payloads.Invoice) -> ProviderEvent:
    """Return an event with what an invoice says now."""
    return msgspec.structs.replace(event, report=_report(invoice))


def invoice_id(event: ProviderEvent) -> str:
    """Return the invoice that a listed event is about."""
    names = (name for name in event.references if name.startswith("session:"))
    return next(names).removeprefix("session:")


def is_older(invoice: payloads.Invoice, moment: datetime) -> bool:
    """Tell whether an invoice was made before a moment."""
    return invoice.created_at is not None and invoice.created_at < moment


def _told(invoice: payloads.Invoice | ValueError, window: Window) -> ProviderEvent | None:
    if isinstance(invoice, ValueError):
        return ProviderEvent(event_id="", event_type=EVENT, unreadable=str(invoice))
    changed = invoice.updated_at
    report = _report(invoice)
    if report is None or not (changed is None or window.since <= changed <= window.until):
        return None
    return ProviderEvent(
        event_id=f"{invoice.id}:{word(invoice)}",
        event_type=EVENT,
        occurred=changed,
        references=(f"session:{invoice.id}",),
        report=report,
    )


def _report(invoice: payloads.Invoice) -> PaymentReport | SubscriptionReport | None:
    return authorisation(invoice) if is_authorised(invoice) else payment_report(invoice)


def _invoice(item: object) -> payloads.Invoice | ValueError:
    try:
        return bare(item)
    except ValueError as error:
        return error
