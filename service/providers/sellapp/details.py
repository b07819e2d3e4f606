"""What an invoice has beyond the session's common fields, by the names of `SellappDetails`."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from service.core.model import Money
from service.providers.answers import lenient
from service.providers.sellapp import payloads
from service.providers.text import readable, said

T = TypeVar("T")
JsonObject = dict[str, object]

AMOUNTS = ("original_amount", "subtotal", "fee")


def details_of(invoice: payloads.Invoice, message: str = "") -> JsonObject:
    """Build the details of an invoice; what cannot be read is left out."""
    payment = invoice.payment
    return said(
        message=readable(message),
        create_time=_time(invoice.created_at),
        update_time=_time(invoice.updated_at),
        original_amount=_amount(payment.original_amount),
        subtotal=_amount(payment.subtotal),
        fee=_amount(payment.fee),
        full_price=_known_amount(payment.full_price),
        gateway=_gateway(payment.gateway),
        status=_status(invoice.status.status),
        status_history=[_status(entry) for entry in invoice.status.history or ()],
        webhooks=list(_webhooks(invoice.webhooks)),
        feedback=_text(invoice.feedback, 2000),
        store_id=_number(invoice.store_id),
        coupon_id=_number(invoice.coupon_id),
        visitor=_visitor(lenient(invoice.customer_information, payloads.Visitor)),
    )


def unreadable_amounts(invoice: payloads.Invoice) -> Iterator[str]:
    """Yield the names of amounts that are there and cannot be read."""
    for name in AMOUNTS:
        value = getattr(invoice.payment, name)
        if value is not None and lenient(value, payloads.Amount) is None:
            yield name


def _amount(value: object) -> JsonObject:
    amount = lenient(value, payloads.Amount)
    return _known_amount(amount) if amount else {}


def _known_amount(amount: payloads.Amount) -> JsonObject:
    return {
        "base": _money(Money(int(amount.base), amount.currency)),
        "units": amount.units,
        "total_exclusive": _money(amount.exclusive),
        "total_inclusive": _money(amount.inclusive),
    } | said(vat=_decimal(amount.vat))


def _money(money: Money) -> JsonObject:
    return {"amount": money.amount, "currency": money.currency}


def _gateway(gateway: payloads.Gateway | None) -> JsonObject:
    if gateway is None:
        return {}
    data = lenient(gateway.data, payloads.GatewayData) or payloads.GatewayData()
    return said(
        type=readable(gateway.type or "", 64),
        total=_amount(data.total),
        customer_email=_text(data.customer_email, 320),
        transaction_id=_text(data.transaction_id, 255),
        checkout_url=_text(data.checkout_url, 4096),
    )


def _status(entry: payloads.StatusEntry) -> JsonObject:
    return {"status": readable(entry.status, 64)} | said(
        set_time=_time(entry.set_at), update_time=_time(entry.updated_at)
    )


def _webhooks(value: object) -> Iterator[JsonObject]:
    for entry in lenient(value, list[object]) or ():
        delivery = lenient(entry, payloads.Delivery)
        if delivery is not None:
            yield said(
                url=readable(delivery.url, 2048),
                attempts=delivery.attempts,
                response=_text(delivery.response, 500),
                query_time=_time(delivery.queried_at),
            )


def _visitor(visitor: payloads.Visitor | None) -> JsonObject:
    if visitor is None:
        return {}
    vat = lenient(visitor.vat, payloads.Vat) or payloads.Vat()
    return said(
        country=_text(visitor.country, 128),
        location=_text(visitor.location, 255),
        ip_address=_text(visitor.ip, 64),
        proxied=lenient(visitor.proxied, bool),
        user_agent=_text(visitor.browser_agent, 1024),
        vat=_decimal(vat.amount),
        vat_country=_text(vat.country, 8),
    )


def _text(value: object, longest: int) -> str:
    return readable(value, longest) if isinstance(value, str) else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _decimal(value: object) -> str:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else _text(value, 32)


def _time(at: datetime | None) -> str:
    return at.isoformat() if at else ""
