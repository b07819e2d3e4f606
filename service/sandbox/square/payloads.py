"""Checkouts, links, payments and errors as the API returns them."""

from collections.abc import Iterable

import msgspec

from service.sandbox.square.errors import Problem
from service.sandbox.square.order_payload import legacy_order, moment, money, order_details
from service.sandbox.square.records import APPROVED, COMPLETED, FAILED, Payment, Session
from service.sandbox.square.schema import JsonObject

CARD = {
    "card_brand": "VISA",
    "last_4": "1111",
    "exp_month": 11,
    "exp_year": 2030,
    "fingerprint": "sq-1-sandbox",
    "card_type": "CREDIT",
    "prepaid_type": "NOT_PREPAID",
    "bin": "411111",
}
CARD_STATES = {APPROVED: "AUTHORIZED", COMPLETED: "CAPTURED", FAILED: "FAILED"}
ECHOED_BY_LINK = ("description", "checkout_options", "pre_populated_data", "payment_note")
ECHOED_BY_CHECKOUT = (
    "ask_for_shipping_address",
    "merchant_support_email",
    "pre_populate_buyer_email",
    "pre_populate_shipping_address",
    "redirect_url",
    "additional_recipients",
)


def encode(body: object) -> bytes:
    """Encode a body."""
    return msgspec.json.encode(body)


def errors(problems: Iterable[Problem]) -> JsonObject:
    """Describe a refusal."""
    return {"errors": list(problems)}


def checkout_details(session: Session, *, url: str) -> JsonObject:
    """Describe a legacy checkout."""
    return {
        "id": session.session_id,
        "checkout_page_url": url,
        **_echo(session, ECHOED_BY_CHECKOUT),
        "order": legacy_order(session.order),
        "created_at": moment(session.created_at),
        "version": session.version,
    }


def link_details(session: Session, *, url: str, long_url: str) -> JsonObject:
    """Describe a payment link, which tells nothing of its state or amount."""
    return {
        "id": session.session_id,
        "version": session.version,
        "order_id": session.order.order_id,
        "url": url,
        "long_url": long_url,
        **_echo(session, ECHOED_BY_LINK),
        "created_at": moment(session.created_at),
        **({"updated_at": moment(session.updated_at)} if session.updated_at else {}),
    }


def payment_details(payment: Payment) -> JsonObject:
    """Describe a payment."""
    session = payment.session
    order, currency = session.order, session.order.currency
    approved = 0 if payment.status == FAILED else payment.total
    optional = {
        "tip_money": money(payment.tip, currency) if payment.tip else None,
        "app_fee_money": session.options.get("app_fee_money") if session.is_link else None,
        "reference_id": order.draft.get("reference_id"),
        "note": session.note,
        "buyer_email_address": payment.buyer.email,
        "shipping_address": payment.buyer.address,
    }
    return {
        "id": payment.payment_id,
        "created_at": moment(payment.created_at),
        "updated_at": moment(payment.updated_at),
        "amount_money": money(payment.amount, currency),
        "total_money": money(payment.total, currency),
        "approved_money": money(approved, currency),
        "status": payment.status,
        "source_type": "CARD",
        "card_details": _card(payment),
        "location_id": order.location_id,
        "order_id": order.order_id,
        "customer_id": "CUSTOMERDEMO",
        "receipt_number": payment.payment_id[:4],
        "application_details": {
            "square_product": "ECOMMERCE_API",
            "application_id": "sandbox-sq0idb-demo",
        },
        "version_token": f"{payment.payment_id}-{payment.status}",
        **{name: value for name, value in optional.items() if value},
    }


def related_orders(session: Session) -> JsonObject:
    """Describe what the creation of a link answers beside the link."""
    return {"orders": [order_details(session.order)]}


def _card(payment: Payment) -> JsonObject:
    details: JsonObject = {
        "status": CARD_STATES[payment.status],
        "card": CARD,
        "entry_method": "KEYED",
        "cvv_status": "CVV_ACCEPTED",
        "avs_status": "AVS_ACCEPTED",
        "statement_description": "SQ *DEMO STORE",
    }
    if payment.status == FAILED:
        detail = "Authorization error: 'GENERIC_DECLINE'"
        error = {"category": "PAYMENT_METHOD_ERROR", "code": "GENERIC_DECLINE", "detail": detail}
        details["errors"] = [error]
    return details


def _echo(session: Session, names: Iterable[str]) -> JsonObject:
    return {name: session.body[name] for name in names if name in session.body}
