"""Square's list of payments: which of its filters are asked, and what a page of it tells."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from service.core.ports import ProviderEvent
from service.core.window import Listed, Window
from service.providers.answers import converted
from service.providers.square import payloads
from service.providers.square.settings import API_VERSIONS, Call, SquareSettings
from service.providers.square.transformers import payment_report

EVENT = "listed"
PAGE_SIZE = 100


class Page(msgspec.Struct, frozen=True):
    """The answer of `GET /v2/payments`; one malformed payment must not hide the others."""

    payments: list[object] | None = None
    cursor: str | None = None


def path(window: Window, settings: SquareSettings) -> str:
    """Return the path of a page of the payments of the location that changed in a window.

    Older versions of the API know only when a payment was made.
    """
    since, until = _text(window.since), _text(window.until)
    times = {"begin_time": since, "end_time": until}
    if settings.api_version >= API_VERSIONS[Call.LINKS]:
        times = {
            "updated_at_begin_time": since,
            "updated_at_end_time": until,
            "sort_field": "UPDATED_AT",
        }
    query = {**times, "location_id": settings.location_id, "sort_order": "ASC", "limit": PAGE_SIZE}
    if window.page:
        query["cursor"] = window.page
    return f"/v2/payments?{urlencode(query)}"


def page_of(body: object) -> Page:
    """Read a page. Raises ValueError when it is unusable."""
    return converted(body, Page)


def payments_of(page: Page) -> list[payloads.Payment | ValueError]:
    """Read the payments of a page, each by itself."""
    return [_payment(data) for data in page.payments or ()]


def listed(
    page: Page,
    payments: Iterable[payloads.Payment | ValueError],
    sessions: Mapping[str, str],
    refunds: Mapping[str, list[payloads.Refund]],
) -> Listed:
    """Return what a page tells, with our ids by order and refunds by payment."""
    events = [
        ProviderEvent(event_id="", event_type=EVENT, unreadable=str(payment))
        if isinstance(payment, ValueError)
        else _event(payment, sessions, refunds.get(payment.id, []))
        for payment in payments
    ]
    return Listed(events, page.cursor or "")


def _event(
    payment: payloads.Payment, sessions: Mapping[str, str], refunds: list[payloads.Refund]
) -> ProviderEvent:
    order_id = payment.order_id or ""
    return ProviderEvent(
        event_id=f"{payment.id}:{payment.status}",
        event_type=EVENT,
        occurred=payment.created_at,
        session_id=sessions.get(order_id, ""),
        references=(*((f"order:{order_id}",) if order_id else ()), f"payment:{payment.id}"),
        report=payment_report(payment, refunds),
    )


def _payment(data: object) -> payloads.Payment | ValueError:
    try:
        return converted(data, payloads.Payment)
    except ValueError as error:
        return error


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
