"""The body of `POST /v2/locations/{location_id}/checkouts`, the older of Square's two calls."""

from urllib.parse import quote

from service.core.model import CreateRequest, Customer
from service.core.ports import CreateCall
from service.providers.square.options import (
    AdditionalRecipient,
    SquareOptions,
    session_options,
)
from service.providers.square.order import JsonObject, address, money, order_body
from service.providers.text import filled, said

SHIPPING_NAME = "Shipping"


def checkout_path(location_id: str) -> str:
    """Return where checkouts of a location are made."""
    return f"/v2/locations/{quote(location_id, safe='')}/checkouts"


def checkout_body(call: CreateCall, location_id: str, key: str) -> JsonObject:
    """Build the body that makes a checkout."""
    request = call.request
    options = session_options(request)
    customer = request.customer or Customer()
    url = filled(request.success_url, session_id=call.session_id, reference_id=request.reference_id)
    return {
        "idempotency_key": key,
        "order": {"idempotency_key": key, "order": _order(call, location_id, options)},
    } | said(
        ask_for_shipping_address=options.ask_for_shipping_address,
        merchant_support_email=options.support_email,
        pre_populate_buyer_email=customer.email,
        pre_populate_shipping_address=address(customer),
        redirect_url=url,
        additional_recipients=[_recipient(share) for share in options.additional_recipients],
        note=options.note,
    )


def _order(call: CreateCall, location_id: str, options: SquareOptions) -> JsonObject:
    order = order_body(call, location_id)
    fee = _shipping_charge(call.request, options)
    if not fee:
        return order
    charges = order.get("service_charges", [])
    return order | {"service_charges": [*(charges if isinstance(charges, list) else ()), fee]}


def _shipping_charge(request: CreateRequest, options: SquareOptions) -> JsonObject:
    fee = request.cart.shipping_fee
    if fee is None:
        return {}
    return {
        "name": options.shipping_fee_name or SHIPPING_NAME,
        "amount_money": money(fee),
        "calculation_phase": "SUBTOTAL_PHASE",
        "taxable": False,
    }


def _recipient(share: AdditionalRecipient) -> JsonObject:
    return said(
        location_id=share.location_id,
        description=share.description,
        amount_money=money(share.amount),
    )
