"""Dodo's JSON objects, with every field that its newest description names."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from service.sandbox.dodo.catalogue import BRAND_ID, BUSINESS_ID
from service.sandbox.dodo.pricing import PricedCart, PricedLine
from service.sandbox.dodo.records import Buyer, Payment, Session, Subscription

JsonObject = dict[str, object]

CARDS = {"credit", "debit"}
PERIOD_YEARS = 10


def encode(value: object) -> bytes:
    """Write JSON; codes out of closed lists are plain strings there."""
    return msgspec.json.encode(value, enc_hook=str)


def moment(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def session_status(session: Session) -> JsonObject:
    """Build the answer of `GET /checkouts/{id}`."""
    payment = session.last_payment
    customer = session.request.customer
    return {
        "id": session.session_id,
        "created_at": moment(session.created_at),
        "customer_email": payment.buyer.email if payment else customer and customer.email,
        "customer_name": payment.buyer.name if payment else customer and customer.name,
        "payment_id": payment.payment_id if payment else None,
        "payment_status": payment.status if payment else None,
    }


def payment_summary(payment: Payment) -> JsonObject:
    """Build one item of `GET /payments`."""
    ids = [subscription.subscription_id for subscription in payment.subscriptions]
    method, method_type = _method(payment)
    return {
        "brand_id": BRAND_ID,
        "card_last_four": _card(payment)["card_last_four"],
        "card_network": _card(payment)["card_network"],
        "created_at": moment(payment.created_at),
        "currency": payment.cart.currency,
        "customer": _customer(payment),
        "digital_products_delivered": False,
        "dispute_status": None,
        "has_license_key": False,
        "invoice_id": None,
        "invoice_url": None,
        "is_multi_subscription": len(ids) > 1,
        "metadata": payment.session.request.metadata or {},
        "payment_id": payment.payment_id,
        "payment_method": method,
        "payment_method_type": method_type,
        "payment_provider": "dodo",
        "refund_status": None,
        "status": payment.status,
        "subscription_id": ids[0] if ids else None,
        "subscription_ids": ids,
        "total_amount": payment.cart.total,
    }


def payment_details(payment: Payment, *, link: str) -> JsonObject:
    """Build the answer of `GET /payments/{payment_id}`, which webhooks carry too."""
    summary = payment_summary(payment)
    del summary["has_license_key"], summary["dispute_status"]
    request = payment.session.request
    return summary | {
        "billing": _billing(payment.buyer),
        "business_id": BUSINESS_ID,
        **_card(payment),
        "checkout_session_id": payment.session.session_id,
        "custom_field_responses": _answers(payment.buyer),
        "discount_id": next(iter(payment.cart.discount_ids), None),
        "discounts": None,
        "disputes": [],
        "error_code": payment.error_code,
        "error_message": payment.error_message,
        "is_update_payment_method": False,
        "payment_link": link,
        "payment_method_id": request.payment_method_id,
        "product_cart": _one_time_items(payment.cart),
        "refunds": [],
        "retry_attempt": 0,
        "settlement_amount": payment.cart.total,
        "settlement_currency": payment.cart.currency,
        "settlement_tax": payment.cart.tax or None,
        "tax": payment.cart.tax or None,
        "updated_at": moment(payment.updated_at),
    }


def subscription_details(subscription: Subscription) -> JsonObject:
    """Build the subscription that webhooks carry; it names no checkout session, as documented."""
    payment, line = subscription.payment, subscription.line
    request = payment.session.request
    data = request.subscription_data
    trial_days = (data.trial_period_days if data else None) or 0
    return {
        "addons": [
            {"addon_id": addon.addon_id, "quantity": quantity} for addon, quantity in line.addons
        ],
        "billing": _billing(payment.buyer),
        "brand_id": BRAND_ID,
        "cancel_at_next_billing_date": False,
        "cancelled_at": None,
        "created_at": moment(subscription.created_at),
        "credit_entitlement_cart": [],
        "currency": line.currency,
        "custom_field_responses": _answers(payment.buyer),
        "customer": _customer(payment),
        "customer_business_name": request.customer_business_name,
        "discount_cycles_remaining": None,
        "discount_id": next(iter(payment.cart.discount_ids), None),
        "discounts": None,
        "expires_at": moment(_years_later(subscription.created_at, PERIOD_YEARS)),
        "has_payment_method": True,
        "metadata": request.metadata or {},
        "meter_credit_entitlement_cart": [],
        "meters": [],
        "next_billing_date": moment(_next_billing(subscription.created_at, trial_days)),
        "on_demand": data is not None and data.on_demand is not None,
        "payment_frequency_count": 1,
        "payment_frequency_interval": "Month",
        "payment_method_id": request.payment_method_id,
        "previous_billing_date": moment(subscription.created_at),
        "product_id": line.product.product_id,
        "quantity": line.quantity,
        "recurring_pre_tax_amount": line.recurring,
        "status": "active",
        "subscription_id": subscription.subscription_id,
        "subscription_period_count": PERIOD_YEARS,
        "subscription_period_interval": "Year",
        "tax_id": payment.buyer.tax_id,
        "tax_inclusive": line.product.is_tax_inclusive,
        "trial_period_days": trial_days,
    }


def preview(cart: PricedCart, country: str) -> JsonObject:
    """Build the answer of `POST /checkouts/preview`."""
    recurring = sum(line.recurring for line in cart.lines)
    has_recurring = any(line.product.is_recurring for line in cart.lines)
    return {
        "billing_country": country,
        "currency": cart.currency,
        "current_breakup": {
            "subtotal": cart.subtotal,
            "discount": cart.discount,
            "tax": cart.tax or None,
            "total_amount": cart.total,
        },
        "product_cart": [_preview_line(line) for line in cart.lines],
        "recurring_breakup": {
            "subtotal": recurring,
            "discount": 0,
            "tax": None,
            "total_amount": recurring,
        }
        if has_recurring
        else None,
        "tax_id_err_msg": None,
        "total_price": cart.total,
        "total_tax": cart.tax or None,
    }


def _preview_line(line: PricedLine) -> JsonObject:
    off = line.discount // max(line.quantity, 1)
    return {
        "addons": [
            {
                "addon_id": addon.addon_id,
                "currency": line.currency,
                "discounted_price": addon.price,
                "name": addon.name,
                "og_currency": line.currency,
                "og_price": addon.price,
                "quantity": quantity,
                "tax_category": line.product.tax_category,
                "tax_inclusive": line.product.is_tax_inclusive,
                "tax_rate": line.product.tax_rate,
            }
            for addon, quantity in line.addons
        ],
        "credit_entitlements": [],
        "currency": line.currency,
        "description": line.product.description,
        "discount_amount": line.discount,
        "discounted_price": max(line.unit_price - off, 0),
        "is_subscription": line.product.is_recurring,
        "is_usage_based": line.product.kind == "usage",
        "meters": [],
        "name": line.product.name,
        "og_currency": line.product.currency,
        "og_price": line.unit_price,
        "product_id": line.product.product_id,
        "quantity": line.quantity,
        "tax": line.tax,
        "tax_category": line.product.tax_category,
        "tax_inclusive": line.product.is_tax_inclusive,
        "tax_rate": line.product.tax_rate,
    }


def _customer(payment: Payment) -> JsonObject:
    return {
        "customer_id": payment.customer_id,
        "email": payment.buyer.email,
        "metadata": {},
        "name": payment.buyer.name,
        "phone_number": payment.buyer.phone_number,
    }


def _billing(buyer: Buyer) -> JsonObject:
    return {
        "city": buyer.city,
        "country": buyer.country,
        "state": buyer.state,
        "street": buyer.street,
        "zipcode": buyer.zipcode,
    }


def _answers(buyer: Buyer) -> list[Mapping[str, str]] | None:
    return [{"key": key, "value": value} for key, value in buyer.answers] or None


def _one_time_items(cart: PricedCart) -> list[JsonObject] | None:
    return [
        {"product_id": line.product.product_id, "quantity": line.quantity}
        for line in cart.lines
        if not line.product.is_recurring
    ] or None


def _method(payment: Payment) -> tuple[str, str]:
    method = payment.buyer.payment_method
    return ("card" if method in CARDS else method), method


def _card(payment: Payment) -> JsonObject:
    is_card = payment.buyer.payment_method in CARDS
    digits = "0002" if payment.status == "failed" else "4242"
    return {
        "card_holder_name": payment.buyer.name if is_card else None,
        "card_issuing_country": "US" if is_card else None,
        "card_last_four": digits if is_card else None,
        "card_network": "VISA" if is_card else None,
        "card_type": payment.buyer.payment_method.upper() if is_card else None,
    }


def _next_billing(start: datetime, trial_days: int) -> datetime:
    if trial_days:
        return start + timedelta(days=trial_days)
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    day = min(start.day, monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day)


def _years_later(start: datetime, years: int) -> datetime:
    year = start.year + years
    return start.replace(year=year, day=min(start.day, monthrange(year, start.month)[1]))
