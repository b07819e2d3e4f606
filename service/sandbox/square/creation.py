"""Makes payment links and legacy checkouts out of checked bodies."""

from collections.abc import Callable, Sequence
from datetime import datetime

from service.sandbox.square import rules
from service.sandbox.square.catalogue import MAX_TOTAL, Catalogue
from service.sandbox.square.drafts import draft, quick_order
from service.sandbox.square.errors import refusal
from service.sandbox.square.pricing import price
from service.sandbox.square.records import Order, Session
from service.sandbox.square.schema import JsonObject

SPLIT_SHARE = 90
SPLIT_CURRENCIES = {"USD", "CAD", "GBP"}


class Workshop:
    """Checks a body against the seller's data, prices its order, and makes a session of it."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._new_id = new_id

    def link(self, body: JsonObject) -> Session:
        """Make a payment link."""
        request, path = _ordered(body)
        options = body.get("checkout_options", {})
        ships = options.get("ask_for_shipping_address", False)
        rules.location(self._catalogue, request["location_id"], f"{path}.location_id")
        order = self._order(
            request, body, path, shipping_fee=options.get("shipping_fee"), ships=ships
        )
        _check_fee(options, order)
        return self._session("LINK", body, order, is_link=True)

    def checkout(self, body: JsonObject, location_id: str) -> Session:
        """Make a legacy checkout."""
        request = body["order"]["order"]
        rules.location(self._catalogue, location_id, "location_id")
        if request["location_id"] != location_id:
            detail = "The order belongs to another location than the checkout."
            raise refusal("LOCATION_MISMATCH", detail, "order.order.location_id")
        order = self._order(request, body, "order.order", shipping_fee=None, ships=None)
        if body.get("ask_for_shipping_address") and not order.draft["fulfillments"]:
            order.draft["fulfillments"] = [
                {"uid": self._new_id(), "type": "SHIPMENT", "state": "PROPOSED"}
            ]
        split = sum(
            part["amount_money"]["amount"] for part in body.get("additional_recipients", ())
        )
        _check_share(split, order, "additional_recipients")
        return self._session("CHECKOUT", body, order, is_link=False)

    def _order(
        self,
        request: JsonObject,
        body: JsonObject,
        path: str,
        *,
        shipping_fee: JsonObject | None,
        ships: bool | None,
    ) -> Order:
        place = self._catalogue.locations[request["location_id"]]
        rules.check_currency(body, place)
        rules.check_order(request, self._catalogue, path)
        complete = draft(
            request,
            self._catalogue,
            new_id=self._new_id,
            shipping_fee=shipping_fee,
            ships=ships,
        )
        rules.check_currency({path: complete}, place)
        now = self._clock()
        order = Order(
            order_id=f"ORDER{self._new_id()}",
            draft=complete,
            priced=price(complete),
            currency=place.currency,
            created_at=now,
            updated_at=now,
        )
        _check_total(order, path)
        return order

    def _session(self, prefix: str, body: JsonObject, order: Order, *, is_link: bool) -> Session:
        return Session(
            session_id=f"{prefix}{self._new_id()}",
            slug=self._new_id(),
            is_link=is_link,
            body=body,
            order=order,
            created_at=order.created_at,
        )


def _ordered(body: JsonObject) -> tuple[JsonObject, str]:
    given = [name for name in ("quick_pay", "order") if name in body]
    if len(given) > 1:
        detail = "Only one of quick_pay and order can be given."
        raise refusal("CONFLICTING_PARAMETERS", detail, "quick_pay")
    if not given:
        detail = "One of quick_pay and order is required."
        raise refusal("MISSING_REQUIRED_PARAMETER", detail, "order")
    if "quick_pay" in body:
        return quick_order(body["quick_pay"]), "quick_pay"
    order: JsonObject = body["order"]
    return order, "order"


def _check_total(order: Order, path: str) -> None:
    if order.total > MAX_TOTAL:
        detail = "The requested payment amount is too high for the provided payment source."
        raise refusal("AMOUNT_TOO_HIGH", detail)
    if order.total < 1:
        raise refusal("AMOUNT_TOO_LOW", "The order has nothing to pay.", path)


def _check_fee(options: JsonObject, order: Order) -> None:
    path = "checkout_options.app_fee_money"
    if "app_fee_money" in options and "subscription_plan_id" in options:
        raise refusal("CONFLICTING_PARAMETERS", "Subscriptions take no application fee.", path)
    _check_share(options.get("app_fee_money", {}).get("amount", 0), order, path)


def _check_split(parts: Sequence[JsonObject], order: Order) -> None:
    if parts and order.currency not in SPLIT_CURRENCIES:
        detail = f"Payments in {order.currency} cannot be split."
        raise refusal("UNSUPPORTED_CURRENCY", detail, "additional_recipients")
    split = sum(part["amount_money"]["amount"] for part in parts)
    _check_share(split, order, "additional_recipients")


def _check_share(amount: int, order: Order, path: str) -> None:
    if amount * 100 > order.total * SPLIT_SHARE:
        detail = f"The amount must not exceed {SPLIT_SHARE} % of the order's total."
        raise refusal("VALUE_TOO_HIGH", detail, path)
