"""The query strings of the lists."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from service.sandbox.square.errors import refusal
from service.sandbox.square.records import Payment, Session

LOOK_BACK = timedelta(days=365)
MAX_PAYMENTS = 100
DEFAULT_LINKS, MAX_LINKS = 100, 1000
CARD_BRAND, LAST_4 = "VISA", "1111"
SORT_FIELDS = {"CREATED_AT", "OFFLINE_CREATED_AT", "UPDATED_AT"}
Item = TypeVar("Item")
PARAMETERS = {
    "begin_time",
    "end_time",
    "sort_order",
    "cursor",
    "location_id",
    "total",
    "last_4",
    "card_brand",
    "limit",
    "is_offline_payment",
    "offline_begin_time",
    "offline_end_time",
    "updated_at_begin_time",
    "updated_at_end_time",
    "sort_field",
}


class PaymentsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /v2/payments` was asked for; both ends of a window count as inside."""

    created: tuple[datetime, datetime]
    updated: tuple[datetime, datetime]
    location_id: str
    total: int | None
    is_card_wanted: bool
    sorts_by_update: bool
    is_ascending: bool
    limit: int
    after: str

    def page(self, payments: Iterable[Payment]) -> tuple[list[Payment], str]:
        """Return one page and the cursor of the next, which is empty at the end."""
        found = [payment for payment in payments if self._takes(payment)]
        found.sort(key=self._key, reverse=not self.is_ascending)
        return page(found, [payment.payment_id for payment in found], self.after, self.limit)

    def _takes(self, payment: Payment) -> bool:
        return (
            self.is_card_wanted
            and payment.session.order.location_id == self.location_id
            and self.created[0] <= payment.created_at <= self.created[1]
            and self.updated[0] <= payment.updated_at <= self.updated[1]
            and self.total in {None, payment.total}
        )

    def _key(self, payment: Payment) -> datetime:
        return payment.updated_at if self.sorts_by_update else payment.created_at


def payments_query(query: Mapping[str, str], *, now: datetime, main: str) -> PaymentsQuery:
    """Read the query of `GET /v2/payments`, or refuse it."""
    for name in query:
        if name not in PARAMETERS:
            detail = f"`{name[:80]}` is not a known query parameter."
            raise refusal("UNKNOWN_QUERY_PARAMETER", detail, name[:80])
    order = query.get("sort_order", "DESC")
    if order not in {"ASC", "DESC"}:
        raise refusal("INVALID_SORT_ORDER", "Sort order must be ASC or DESC.", "sort_order")
    field = query.get("sort_field", "CREATED_AT")
    if field not in SORT_FIELDS:
        raise refusal("INVALID_ENUM_VALUE", "Not a valid sort field.", "sort_field")
    return PaymentsQuery(
        created=_window(query, "", now),
        updated=_window(query, "updated_at_", now),
        location_id=query.get("location_id") or main,
        total=_number(query, "total"),
        is_card_wanted=query.get("card_brand", CARD_BRAND) == CARD_BRAND
        and query.get("last_4", LAST_4) == LAST_4
        and query.get("is_offline_payment", "false") == "false",
        sorts_by_update=field == "UPDATED_AT",
        is_ascending=order == "ASC",
        limit=min(_number(query, "limit") or MAX_PAYMENTS, MAX_PAYMENTS),
        after=_position(query.get("cursor", "")),
    )


def links_page(query: Mapping[str, str], links: Sequence[Session]) -> tuple[list[Session], str]:
    """Return a page of links and the next cursor; a limit that makes no sense is ignored."""
    given = query.get("limit", "")
    limit = int(given) if given.isdecimal() and 0 < int(given) <= MAX_LINKS else DEFAULT_LINKS
    after = _position(query.get("cursor", ""))
    return page(links, [link.session_id for link in links], after, limit)


def page(
    items: Sequence[Item], ids: Sequence[str], after: str, limit: int
) -> tuple[list[Item], str]:
    """Cut a page out of a list, after the item that a cursor names."""
    if after and after not in ids:
        raise _bad_cursor()
    start = ids.index(after) + 1 if after else 0
    end = start + limit
    cursor = base64.urlsafe_b64encode(ids[end - 1].encode()).decode() if end < len(ids) else ""
    return list(items[start:end]), cursor


def _window(query: Mapping[str, str], prefix: str, now: datetime) -> tuple[datetime, datetime]:
    begin = _time(query, f"{prefix}begin_time", now - LOOK_BACK)
    end = _time(query, f"{prefix}end_time", now)
    if begin > end:
        detail = "The time range ends before it begins."
        raise refusal("INVALID_TIME_RANGE", detail, f"{prefix}begin_time")
    return begin, end


def _time(query: Mapping[str, str], name: str, default: datetime) -> datetime:
    if name not in query:
        return default
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError as error:
        raise refusal("INVALID_TIME", "Expected an RFC 3339 time.", name) from error
    if moment.tzinfo is None:
        raise refusal("INVALID_TIME", "Expected a time with its offset.", name)
    return moment


def _number(query: Mapping[str, str], name: str) -> int | None:
    if name not in query:
        return None
    if not query[name].isdecimal():
        raise refusal("EXPECTED_INTEGER", "Expected an integer value.", name)
    return int(query[name])


def _position(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _bad_cursor() from error


def _bad_cursor() -> Exception:
    return refusal("INVALID_CURSOR", "The pagination cursor is invalid.", "cursor")
