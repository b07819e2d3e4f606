"""From Square's name of a field to the contract's."""

import re
from collections.abc import Mapping
from itertools import accumulate

from service.core.model import CreateRequest
from service.providers.square.options import session_options
from service.providers.square.order import Kind, places

MINE = "provider_options.square"

FIELDS: Mapping[str, str] = {
    "additional_recipients": f"{MINE}.additional_recipients",
    "ask_for_shipping_address": f"{MINE}.ask_for_shipping_address",
    "checkout_options.accepted_payment_methods": "payment_methods.allowed",
    "checkout_options.allow_tipping": "buyer_choices.tipping",
    "checkout_options.app_fee_money": f"{MINE}.app_fee",
    "checkout_options.ask_for_shipping_address": f"{MINE}.ask_for_shipping_address",
    "checkout_options.custom_fields": f"{MINE}.custom_fields",
    "checkout_options.enable_coupon": "buyer_choices.discount_codes",
    "checkout_options.enable_loyalty": f"{MINE}.loyalty",
    "checkout_options.merchant_support_email": f"{MINE}.support_email",
    "checkout_options.redirect_url": "success_url",
    "checkout_options.shipping_fee": "cart.shipping_fee",
    "checkout_options.shipping_fee.name": f"{MINE}.shipping_fee_name",
    "checkout_options.subscription_plan_id": f"{MINE}.subscription_plan_id",
    "description": f"{MINE}.description",
    "merchant_support_email": f"{MINE}.support_email",
    "note": f"{MINE}.note",
    "order.customer_id": "customer.customer_id",
    "order.fulfillments": f"{MINE}.fulfillment",
    "order.line_items": "cart.line_items",
    "order.metadata": "metadata",
    "order.pricing_options.auto_apply_discounts": f"{MINE}.auto_apply_discounts",
    "order.pricing_options.auto_apply_taxes": f"{MINE}.auto_apply_taxes",
    "order.reference_id": "reference_id",
    "payment_note": f"{MINE}.note",
    "pre_populate_buyer_email": "customer.email",
    "pre_populate_shipping_address": "customer.shipping_address",
    "pre_populated_data.buyer_address": "customer.shipping_address",
    "pre_populated_data.buyer_email": "customer.email",
    "pre_populated_data.buyer_phone_number": "customer.phone_number",
    "redirect_url": "success_url",
}
OF_LINE: Mapping[str, str] = {
    "applied_discounts": "discounts",
    "applied_taxes": "taxes",
    "base_price_money": "unit_price",
    "catalog_object_id": "product_id",
    "modifiers": "add_ons",
    "name": "name",
    "note": "note",
    "quantity": "quantity",
    "variation_name": "variation_name",
}
OF_MODIFIER: Mapping[str, str] = {
    "base_price_money": "price",
    "catalog_object_id": "add_on_id",
    "name": "name",
    "quantity": "quantity",
}
OF_ADJUSTMENT: Mapping[str, str] = {
    "amount_money": "amount",
    "name": "name",
    "percentage": "percentage",
    "type": "inclusive",
}
OF_CHARGE: Mapping[str, str] = {"amount_money": "amount"}
OF_ADDRESS: Mapping[str, str] = {
    "address_line_1": "line1",
    "address_line_2": "line2",
    "administrative_district_level_1": "region",
    "country": "country",
    "first_name": "first_name",
    "last_name": "last_name",
    "locality": "city",
    "postal_code": "postal_code",
}
LINE = re.compile(r"order\.line_items\[(\d+)\](?:\.(\w+)(?:\[(\d+)\])?(?:\.(\w+))?)?")
ADJUSTMENT = re.compile(r"order\.(taxes|discounts)\[(\d+)\](?:\.(\w+))?")
CHARGE = re.compile(r"order\.service_charges\[(\d+)\](?:\.(\w+))?")


def our_field(field: str, request: CreateRequest) -> str:
    """Return the path in the contract of a field that Square names; empty where none is known."""
    field = re.sub(r"^order\.order\b", "order", field)
    if found := LINE.match(field):
        return _line(found, request)
    if found := ADJUSTMENT.match(field):
        return _adjustment(found, request)
    if found := CHARGE.match(field):
        return _charge(found, request)
    return _plain(field)


def _line(found: re.Match[str], request: CreateRequest) -> str:
    index, name, number, inner = int(found[1]), found[2] or "", found[3], found[4] or ""
    lines = request.cart.line_items
    if index >= len(lines):
        return "cart.line_items"
    path = f"cart.line_items[{index}]"
    ours = OF_LINE.get(name, "")
    if ours == "quantity" and lines[index].decimal_quantity:
        ours = "decimal_quantity"
    if not ours:
        return path
    if number is None:
        return f"{path}.{ours}" + (f".{inner}" if inner in ("amount", "currency") else "")
    below = OF_MODIFIER.get(inner, "") if ours == "add_ons" else ""
    return f"{path}.{ours}[{number}]" + (f".{below}" if below else "")


def _adjustment(found: re.Match[str], request: CreateRequest) -> str:
    kind: Kind = "taxes" if found[1] == "taxes" else "discounts"
    paths = list(places(request.cart, kind).values())
    index, ours = int(found[2]), OF_ADJUSTMENT.get(found[3] or "", "")
    if index >= len(paths):
        return f"cart.{kind}"
    return paths[index] + (f".{ours}" if ours else "")


def _charge(found: re.Match[str], request: CreateRequest) -> str:
    index, name = int(found[1]), found[2] or ""
    # A checkout's shipping fee is the charge behind the request's own.
    if index >= len(session_options(request).service_charges):
        return "cart.shipping_fee"
    ours = OF_CHARGE.get(name, name)
    return f"{MINE}.service_charges[{index}]" + (f".{ours}" if ours else "")


def _plain(field: str) -> str:
    parts = field.split(".")
    for name in reversed(list(accumulate(parts, "{}.{}".format))):
        ours = FIELDS.get(re.sub(r"\[\d+\]", "", name))
        if ours == "customer.shipping_address":
            below = OF_ADDRESS.get(parts[-1], "")
            return f"{ours}.{below}" if below else ours
        if ours:
            return ours
    return ""
