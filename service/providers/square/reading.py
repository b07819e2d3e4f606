"""Reading an order with its payments, which is how Square says what was paid."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct

from service.core.model import RESERVED_METADATA_KEY
from service.core.purpose import Purpose
from service.providers.answers import Answer, converted
from service.providers.http import ProviderHttp
from service.providers.meanings import usable
from service.providers.square import payloads
from service.providers.square.errors import error_of
from service.providers.square.links import PATH

T = TypeVar("T")


class Reading(Struct, frozen=True):
    """An order with everything that was paid and returned."""

    order: payloads.Order
    payments: list[payloads.Payment]
    refunds: list[payloads.Refund]


class SquareReader:
    """The reads of one account."""

    def __init__(self, *, http: ProviderHttp, names: dict[str, str]) -> None:
        self._http = http
        self._names = names

    async def order_id(self, link_id: str) -> str:
        """Return the order of a payment link."""
        answer = await self._get("retrieve", f"{PATH}/{quote(link_id, safe='')}")
        return self.usable(lambda: _order_id(answer))

    async def order(self, order_id: str) -> Reading:
        """Return an order, its payments and their refunds."""
        order = await self._one("retrieve_order", "orders", order_id, payloads.OrderAnswer)
        payments = []
        for tender in order.order.tenders or ():
            payment_id = tender.payment_id or tender.id
            if payment_id:
                payments.append(await self.payment(payment_id))
        return Reading(order.order, payments, await self.refunds(payments))

    async def payment(self, payment_id: str) -> payloads.Payment:
        """Return a payment."""
        answer = await self._one("retrieve_payment", "payments", payment_id, payloads.PaymentAnswer)
        return answer.payment

    async def refunds(self, payments: Iterable[payloads.Payment]) -> list[payloads.Refund]:
        """Return what was returned of some payments."""
        return [
            (await self._one("retrieve_refund", "refunds", refund, payloads.RefundAnswer)).refund
            for payment in payments
            for refund in payment.refund_ids or ()
        ]

    async def session_id(self, order_id: str) -> str:
        """Return our session's id out of an order's metadata, empty where it is not there."""
        answer = await self._one("locate", "orders", order_id, payloads.OrderAnswer)
        return _our_id(answer.order)

    async def session_ids(self, order_ids: Iterable[str]) -> dict[str, str]:
        """Return our session's id of each order that has one, by the order's."""
        wanted = sorted(set(order_ids))
        if not wanted:
            return {}
        asked = self._http.request(
            "locate",
            "POST",
            "/v2/orders/batch-retrieve",
            json={"order_ids": wanted},
            sent_is_safe=True,
            purpose=Purpose.READ,
        )
        body = await self._body(asked)
        orders = self.usable(lambda: converted(body, payloads.OrdersAnswer)).orders or []
        return {order.id: name for order in orders if order.id and (name := _our_id(order))}

    async def payments_page(self, path: str) -> object:
        """Return a page of the list of payments."""
        return await self._get("list_payments", path)

    def usable(self, reading: Callable[[], T]) -> T:
        """Return what an answer says. Raises ProviderOutcomeUnknown where it says nothing usable."""
        return usable(reading, self._names)

    async def _one(self, operation: str, kind: str, name: str, shape: type[T]) -> T:
        body = await self._get(operation, f"/v2/{kind}/{quote(name, safe='')}")
        return self.usable(lambda: converted(body, shape))

    async def _get(self, operation: str, path: str) -> object:
        return await self._body(self._http.request(operation, "GET", path, sent_is_safe=True))

    async def _body(self, answering: Awaitable[Answer]) -> object:
        answer = await answering
        if 200 <= answer.status < 300:
            return answer.body
        raise error_of(answer, self._names)


def _our_id(order: payloads.Order) -> str:
    metadata = order.metadata
    value = metadata.get(RESERVED_METADATA_KEY) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def _order_id(body: object) -> str:
    made = converted(body, payloads.LinkAnswer).payment_link
    if made is None or not made.order_id:
        raise ValueError("no_order_id")
    return made.order_id
