"""FastSpring's JSON objects: sessions, orders, subscriptions and events, with amounts in major units."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from service.sandbox.currency import exponent, to_major
from service.sandbox.fastspring.enums import METHODS, PLAN, TAX_ADDED, TAX_IN_PRICE
from service.sandbox.fastspring.errors import Refusal
from service.sandbox.fastspring.pricing import PricedCart, PricedLine
from service.sandbox.fastspring.records import COMPLETED, Event, Order, Session
from service.sandbox.fastspring.schema import JsonObject

# Of the methods that the demo store has switched on.
STORE_METHODS = tuple(name for name in METHODS if name not in {"UNKNOWN", "QUOTE", "ACH"})


def encode(value: object) -> bytes:
    """Write JSON in which decimals are numbers."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def refusal(error: Refusal, *, at: datetime, error_id: str) -> JsonObject:
    """Build the body of a refusal."""
    if error.field:
        return {"action": "events.get", "result": "error", "error": {error.field: error.message}}
    return {
        "status": error.title,
        "timestamp": moment(at),
        "id": error_id,
        "message": error.message,
        "errors": [msgspec.to_builtins(problem) for problem in error.problems],
    }


def moment(at: datetime) -> str:
    """Write a time as ISO 8601."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(at: datetime) -> int:
    """Write a time as milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def session_details(session: Session, *, status: str, url: str | None) -> JsonObject:
    """Build the answer to a create."""
    urls = {} if url is None else {"checkoutUrls": {"webcheckoutUrl": url}}
    order = session.order
    return {
        "id": session.session_id,
        "created": moment(session.created_at),
        "expires": moment(session.expires_at),
        "status": status,
        "checkoutStatus": ["CONCLUDED" if order else _readiness(session.cart)],
        "locale": session.body.get("locale", "en"),
        "country": session.country,
        "currency": session.cart.currency,
        "live": session.live,
        "customer": session.body.get("customer", {}) | _saved(session),
        "orderTags": session.tags,
        "cart": _cart(order.cart if order else session.cart),
        "warnings": session.warnings,
        **urls,
    }


def read_details(session: Session, *, status: str, url: str | None) -> JsonObject:
    """Build the answer to a read, which also tells the ways to pay."""
    hidden = session.body.get("hidePaymentMethods", [])
    return session_details(session, status=status, url=url) | {
        "paymentMethods": payment_methods(session),
        "hidePaymentMethods": hidden,
    }


def payment_methods(session: Session) -> list[JsonObject]:
    """List the ways to pay in the order asked for; what the store has not is dropped silently."""
    order = session.body.get("paymentMethodsOrder", [])
    hidden = session.body.get("hidePaymentMethods", [])
    first = [name for name in order if name in STORE_METHODS]
    rest = [name for name in STORE_METHODS if name not in first]
    return [
        {"id": name, "description": name.replace("_", " ").title()}
        for name in (*first, *rest)
        if name not in hidden
    ]


def order_details(order: Order) -> JsonObject:
    """Build an order as events and reads have it."""
    session, cart, buyer = order.session, order.cart, order.buyer
    return {
        "order": order.payment_id,
        "id": order.payment_id,
        "reference": order.reference,
        "buyerReference": None,
        "completed": order.status == COMPLETED,
        **_changed(order.changed),
        "language": session.body.get("locale", "en"),
        "live": session.live,
        "currency": cart.currency,
        "account": f"ACC{order.payment_id}",
        **_figure("total", cart.total, cart.currency),
        **_figure("tax", cart.tax, cart.currency),
        **_figure("subtotal", cart.total - cart.tax, cart.currency),
        **_figure("discount", cart.product_discount + cart.coupon_discount, cart.currency),
        "payment": {"type": buyer.method.lower()},
        "customer": {
            "first": buyer.first,
            "last": buyer.last,
            "email": buyer.email,
            "company": None,
            "phone": buyer.phone or None,
        },
        "address": {
            "city": buyer.city or None,
            "postalCode": buyer.postal_code or None,
            "country": buyer.country,
        },
        "tags": session.tags,
        "items": [_item(order, index, line) for index, line in enumerate(cart.lines)],
    }


def subscription_details(order: Order, index: int) -> JsonObject:
    """Build the subscription that a line of an order started."""
    line = order.cart.lines[index]
    subscription_id = order.subscriptions[index]
    return {
        "id": subscription_id,
        "subscription": subscription_id,
        "active": True,
        "state": "trial" if line.trial_days else "active",
        **_changed(order.changed),
        "live": order.session.live,
        "currency": order.cart.currency,
        "account": f"ACC{order.payment_id}",
        "product": line.path,
        "quantity": line.quantity,
        "initialOrderId": order.payment_id,
        "tags": order.session.tags,
    }


def return_details(order: Order, *, return_id: str, amount: int, at: datetime) -> JsonObject:
    """Build a refund of an order; the original has no tags in any known sample."""
    currency = order.cart.currency
    return {
        "return": return_id,
        "reference": f"{order.reference}X",
        "completed": True,
        **_changed(at),
        "live": order.session.live,
        "currency": currency,
        **_figure("totalReturn", amount, currency),
        "original": {
            "id": order.payment_id,
            "order": order.payment_id,
            "reference": order.reference,
            "currency": currency,
            **_figure("total", order.cart.total, currency),
        },
    }


def chargeback_details(order: Order, *, status: str) -> JsonObject:
    """Build a dispute of an order; its id is the order's."""
    return {
        "id": order.payment_id,
        "reasonCode": "4837",
        "reasonDescription": "FRAUDULENT",
        "chargebackAmount": to_major(order.cart.total, order.cart.currency),
        "currency": order.cart.currency,
        "order": order.payment_id,
        "processorCaseId": f"CASE{order.payment_id}",
        "status": status,
        "paymentMethod": "CREDIT_CARD",
    }


def event_details(event: Event) -> JsonObject:
    """Build one event of a batch or listing."""
    return {
        "id": event.event_id,
        "processed": event.is_processed,
        "created": milliseconds(event.created),
        "type": event.type,
        "live": event.live,
        "data": event.data,
    }


def batch(events: Iterable[Event]) -> JsonObject:
    """Build the body of a webhook."""
    return {"events": [event_details(event) for event in events]}


def _readiness(cart: PricedCart) -> str:
    return "READY_FOR_CHECKOUT" if cart.lines else "PRODUCTS_REQUIRED"


def _saved(session: Session) -> JsonObject:
    if "accountId" not in session.body.get("customer", {}):
        return {}
    return {"savedPaymentMethod": {"paymentMethodType": "CARD", "display": "Visa ending in 4242"}}


def _changed(at: datetime) -> JsonObject:
    value = milliseconds(at)
    return {"changed": value, "changedValue": value, "changedInSeconds": value // 1000}


def _figure(name: str, amount: int, currency: str) -> JsonObject:
    value = to_major(amount, currency)
    return {name: value, f"{name}Display": f"{value} {currency}"}


def _cart(cart: PricedCart) -> JsonObject:
    added = 0 if cart.is_tax_in_price else cart.tax
    contained = cart.tax if cart.is_tax_in_price else 0
    discount = cart.product_discount + cart.coupon_discount
    figures = {
        "netTotal": cart.net_total,
        "listTotal": cart.list_total,
        "withTaxNetTotal": cart.net_total + added,
        "withTaxListTotal": cart.list_total + added,
        "withoutTaxNetTotal": cart.net_total - contained,
        "withoutTaxListTotal": cart.list_total - contained,
        "discountTotal": discount,
        "couponDiscountTotal": cart.coupon_discount,
        "productDiscountTotal": cart.product_discount,
        "taxTotal": cart.tax,
    }
    return {
        **({"couponCode": cart.coupon_code} if cart.coupon_code else {}),
        "couponHasApplied": cart.coupon_discount > 0,
        "lineItems": [_line(line, cart) for line in cart.lines],
        **{
            key: value
            for name, amount in figures.items()
            for key, value in _figure(name, amount, cart.currency).items()
        },
        "taxRate": cart.rate,
        "taxIncluded": TAX_IN_PRICE if cart.is_tax_in_price else TAX_ADDED,
    }


def _line(line: PricedLine, cart: PricedCart) -> JsonObject:
    source = line.source
    is_plan = line.product.kind == PLAN
    return {
        "productPath": line.path,
        "quantity": line.quantity,
        "quantityBehavior": source.get("quantityBehavior", "ALLOW"),
        "quantityDefault": source.get("quantityDefault", 1),
        "productType": line.product.kind,
        "productFormat": line.product.format,
        "removable": len(cart.lines) > 1,
        "descriptions": source.get("descriptions", {}),
        "attributes": source.get("attributes", {}),
        **({"subscription": source.get("subscriptionOverrides", {})} if is_plan else {}),
        "price": _price(line, cart),
    }


def _price(line: PricedLine, cart: PricedCart) -> JsonObject:
    currency = cart.currency
    figures = {
        "unitNetPrice": line.unit_list - line.unit_discount,
        "unitListPrice": line.unit_list,
        "unitDiscount": line.unit_discount,
        "extendedTotalDiscount": line.product_discount + line.coupon,
        "extendedNetTotal": line.net_total,
        "extendedListTotal": line.list_total,
        "extendedTaxTotal": line.tax,
    }
    # What a tax comes to for one unit may need more decimals than its currency has.
    unit_tax = Decimal(line.tax) / line.quantity
    return {
        **{name: to_major(amount, currency) for name, amount in figures.items()},
        "unitTaxAmount": unit_tax.scaleb(-exponent(currency)).quantize(Decimal("0.0001")),
        "taxPercent": cart.rate,
        "taxIncluded": cart.is_tax_in_price,
        "taxExempt": not cart.rate,
    }


def _item(order: Order, index: int, line: PricedLine) -> JsonObject:
    started = order.subscriptions.get(index)
    return {
        "product": line.path,
        "quantity": line.quantity,
        **_figure("subtotal", line.net_total, order.cart.currency),
        **({"subscription": started} if started else {}),
    }
