"""SellApp's JSON for what the emulator remembers."""

from datetime import datetime

import msgspec

from service.sandbox.delivery import DeliveryState
from service.sandbox.sellapp.errors import JsonObject
from service.sandbox.sellapp.pricing import with_vat
from service.sandbox.sellapp.records import Invoice, Status

BROWSER = "Mozilla/5.0 (Sandbox)"
COUNTRIES = {"DE": "Germany", "FR": "France", "IT": "Italy", "US": "United States"}
NO_IP = "0.0.0.0"  # noqa: S104 - what a seller reads where no address is known


def encode(body: object) -> bytes:
    """Write JSON."""
    return msgspec.json.encode(body)


def moment(at: datetime) -> str:
    """Write a time the way Laravel does."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def money(amount: int, currency: str, vat_rate: int = 0) -> JsonObject:
    """Write an amount: minor units, as texts."""
    total = {"exclusive": str(amount), "inclusive": str(with_vat(amount, vat_rate))}
    return {
        "base": str(amount),
        "currency": currency,
        "units": 1,
        "vat": vat_rate,
        "total": total,
    }


def invoice_details(
    invoice: Invoice,
    *,
    checkout_url: str,
    webhook_url: str,
    shows_quantities: bool,
    is_new: bool = False,
) -> JsonObject:
    """Describe an invoice; the answer to its creation lacks what it sells."""
    details = {
        "id": invoice.invoice_id,
        "payment": _payment(invoice, checkout_url),
        "status": {
            "history": [_status(invoice, entry) for entry in invoice.statuses[:-1]],
            "status": _status(invoice, invoice.statuses[-1]),
        },
        "webhooks": _webhooks(invoice, webhook_url),
        "feedback": "",
        "created_at": moment(invoice.created_at),
        "updated_at": moment(invoice.updated_at),
        "store_id": invoice.store.store_id,
        "coupon_id": invoice.coupon.coupon_id if invoice.coupon else None,
        "subscription_id": invoice.subscription_id,
        "customer_information": _customer(invoice, is_new=is_new),
    }
    if is_new:
        return details | {"checkout": None}
    return details | {"product_variants": _variants(invoice, shows_quantities=shows_quantities)}


def _payment(invoice: Invoice, checkout_url: str) -> JsonObject:
    priced = invoice.priced
    rate, currency = priced.vat_rate, priced.currency
    data: JsonObject = {}
    if invoice.transaction_id:
        data = {
            "total": money(priced.full, currency, rate),
            "customer_email": invoice.customer.email,
            "transaction_id": invoice.transaction_id,
            "checkout_url": checkout_url,
        }
    return {
        "fee": money(0, currency),
        "gateway": {"data": data, "type": invoice.payment_method},
        "subtotal": money(priced.subtotal, currency, rate),
        "expires_at": moment(invoice.expires_at),
        "full_price": money(priced.full, currency, rate),
        "original_amount": money(priced.original, currency, rate),
    }


def _status(invoice: Invoice, entry: Status) -> JsonObject:
    return {
        "setAt": moment(entry.set_at),
        "status": entry.status,
        "updatedAt": moment(invoice.updated_at),
    }


def _webhooks(invoice: Invoice, url: str) -> list[JsonObject]:
    return [
        {
            "url": url,
            "attempts": delivery.attempts,
            "response": str(delivery.last_http_status) if delivery.attempts else None,
            "queried_at": moment(invoice.updated_at) if delivery.attempts else None,
        }
        for delivery in invoice.deliveries
        if delivery.state is not DeliveryState.PENDING
    ]


def _customer(invoice: Invoice, *, is_new: bool) -> JsonObject:
    customer = invoice.customer
    code = customer.country or None
    details = {
        "id": 123,
        "email": customer.email,
        "country": COUNTRIES.get(customer.country, code),
        "location": "",
        "ip": customer.ip or NO_IP,
        "proxied": False,
        "browser_agent": BROWSER,
        "vat": {"amount": str(invoice.priced.vat_rate), "country": code},
    }
    return details if is_new else details | {"discord_data": {}, "billing_details": {}}


def _variants(invoice: Invoice, *, shows_quantities: bool) -> list[JsonObject]:
    return [
        {
            "id": line.variant.variant_id,
            "product_id": line.variant.product_id,
            "title": line.variant.title,
        }
        | ({"quantity": line.quantity} if shows_quantities else {})
        for line in invoice.lines
    ]
