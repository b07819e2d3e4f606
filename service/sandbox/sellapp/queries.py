"""The filters of `GET /v2/invoices` and `POST /v2/invoices/search`, checked and applied."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from service.sandbox.sellapp.enums import PAYMENT_METHODS, STATUSES
from service.sandbox.sellapp.errors import JsonObject, invalid
from service.sandbox.sellapp.records import Invoice

MAX_LIMIT, DEFAULT_LIMIT = 100, 15
SORTS = frozenset({"created_at", "-created_at"})
TEXTS = ("id", "email", "transaction_id", "coupon_code")
NAMES = frozenset({*TEXTS, "limit", "page", "status", "payment_methods", "sort"})


class InvoicesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters and paging; what is absent filters nothing."""

    limit: int
    page: int
    texts: Mapping[str, str]
    statuses: frozenset[str]
    methods: frozenset[str]
    is_ascending: bool

    def select(self, invoices: Iterable[Invoice]) -> tuple[list[Invoice], int]:
        """Return the asked page of what passes every filter, and how many pass."""
        found = [invoice for invoice in invoices if self._takes(invoice)]
        found.sort(key=lambda invoice: invoice.created_at, reverse=not self.is_ascending)
        start = (self.page - 1) * self.limit
        return found[start : start + self.limit], len(found)

    def _takes(self, invoice: Invoice) -> bool:
        held = {
            "id": invoice.session_id,
            "email": invoice.customer.email,
            "transaction_id": invoice.transaction_id,
            "coupon_code": invoice.coupon.code if invoice.coupon else "",
        }
        return (
            all(held[name].casefold() == text.casefold() for name, text in self.texts.items())
            and (not self.statuses or invoice.status in self.statuses)
            and (not self.methods or invoice.payment_method in self.methods)
        )


def parse(given: Mapping[str, Any]) -> InvoicesQuery:
    """Read filters, or refuse an unknown name and a bad value."""
    faults = {name: ["This filter is not known."] for name in given.keys() - NAMES}
    limit = _number(given, "limit", DEFAULT_LIMIT, faults)
    page = _number(given, "page", 1, faults)
    if limit > MAX_LIMIT:
        faults["limit"] = [f"The limit must not be greater than {MAX_LIMIT}."]
    sort = given.get("sort", "-created_at")
    if sort not in SORTS:
        faults["sort"] = ["The selected sort is invalid."]
    query = InvoicesQuery(
        limit=limit,
        page=page,
        texts={name: str(given[name]) for name in TEXTS if name in given},
        statuses=_several(given, "status", STATUSES, faults),
        methods=_several(given, "payment_methods", PAYMENT_METHODS, faults),
        is_ascending=sort == "created_at",
    )
    if faults:
        raise invalid(faults)
    return query


def listing(query: InvoicesQuery, items: Sequence[JsonObject], total: int, url: str) -> JsonObject:
    """Wrap a page of invoices with where it stands."""
    last = max(1, -(-total // query.limit))
    first_item = (query.page - 1) * query.limit + 1

    def link(page: int) -> str | None:
        return f"{url}?page={page}" if 1 <= page <= last else None

    return {
        "data": list(items),
        "links": {
            "first": link(1),
            "last": link(last),
            "prev": link(query.page - 1),
            "next": link(query.page + 1),
        },
        "meta": {
            "current_page": query.page,
            "from": first_item if items else None,
            "last_page": last,
            "path": url,
            "per_page": query.limit,
            "to": first_item + len(items) - 1 if items else None,
            "total": total,
        },
    }


def _number(given: Mapping[str, Any], name: str, default: int, faults: dict[str, list[str]]) -> int:
    text = str(given.get(name, default))
    if not text.isdecimal() or int(text) < 1:
        faults[name] = [f"The {name} must be an integer of at least 1."]
        return default
    return int(text)


def _several(
    given: Mapping[str, Any], name: str, known: frozenset[str], faults: dict[str, list[str]]
) -> frozenset[str]:
    values = given.get(name, [])
    if not isinstance(values, list) or not known.issuperset(values):
        faults[name] = [f"The selected {name} is invalid."]
        return frozenset()
    return frozenset(values)
