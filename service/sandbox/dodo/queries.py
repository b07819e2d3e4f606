"""The query of `GET /payments`: documented filters, checked, and applied."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta
from multidict import MultiMapping

from service.sandbox.dodo.catalogue import BRAND_ID
from service.sandbox.dodo.enums import CURRENCIES, PAYMENT_STATUSES
from service.sandbox.dodo.errors import Refusal, unknown_values
from service.sandbox.dodo.records import Payment

MAX_PAGE_SIZE = 100


class PaymentsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters and paging; what is absent filters nothing."""

    created_at_gte: datetime | None = None
    created_at_lte: datetime | None = None
    page_size: Annotated[int, Meta(ge=0, le=MAX_PAGE_SIZE)] = 10
    page_number: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    customer_id: str | None = None
    subscription_id: str | None = None
    status: str | None = None
    brand_id: str | None = None
    product_id: str | None = None
    currency: str | None = None

    @classmethod
    def parse(cls, query: MultiMapping[str]) -> "PaymentsQuery":
        """Read a query, or refuse an unknown name, a repeated one and a bad value."""
        if len(query) != len(set(query)):
            raise Refusal(422, "INVALID_QUERY_PARAMS", "a parameter is given twice")
        try:
            parsed = msgspec.convert(dict(query), cls, strict=False)
            parsed.check()
        except ValueError as error:
            raise Refusal(422, "INVALID_QUERY_PARAMS", str(error)) from error
        return parsed

    def check(self) -> None:
        """Raise `ValueError` for a value outside its closed list."""
        if self.status is not None and self.status not in PAYMENT_STATUSES:
            raise ValueError(unknown_values(self.status, PAYMENT_STATUSES))
        if self.currency is not None and self.currency not in CURRENCIES:
            raise ValueError(unknown_values(self.currency, CURRENCIES))

    def page(self, payments: Iterable[Payment]) -> Iterator[Payment]:
        """Yield the asked page of the payments that pass every filter."""
        start = self.page_number * self.page_size
        return islice(filter(self._matches, payments), start, start + self.page_size)

    def _matches(self, payment: Payment) -> bool:
        held = (
            (self.status, {payment.status}),
            (self.currency, {payment.cart.currency}),
            (self.customer_id, {payment.customer_id}),
            (self.brand_id, {BRAND_ID}),
            (self.subscription_id, {item.subscription_id for item in payment.subscriptions}),
            (self.product_id, {line.product.product_id for line in payment.cart.lines}),
        )
        return self._is_in_time(payment.created_at) and all(
            wanted is None or wanted in values for wanted, values in held
        )

    def _is_in_time(self, at: datetime) -> bool:
        first, last = self.created_at_gte, self.created_at_lte
        return (first is None or at >= _aware(first)) and (last is None or at <= _aware(last))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
