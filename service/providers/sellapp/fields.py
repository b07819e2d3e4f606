"""SellApp's names of fields, and the paths of the contract that they were filled from."""

from collections.abc import Mapping

from service.core.model import CreateRequest
from service.providers.sellapp.options import session_options

MINE = "provider_options.sellapp"
FIELDS: Mapping[str, str] = {
    "affiliate": f"{MINE}.affiliate",
    "country": "customer.billing_address.country",
    "coupon": "cart.discount_codes[0]",
    "customer_email": "customer.email",
    "customer_ip": "customer.ip_address",
    "payment_method": "payment_methods.allowed[0]",
    "product_variants": "cart.line_items",
    "vat_id": "customer.tax_id",
}


def our_field(name: str, request: CreateRequest) -> str:
    """Return our path of a field that SellApp names, empty where it has none."""
    first, _, rest = name.partition(".")
    if session_options(request).invoice_id:
        return f"{MINE}.invoice_id"
    if first == "product_variants" and rest:
        return _of_variant(rest, request)
    if first == "extra":
        return _of_extra(rest, request)
    # Said of the only line: a subscription is sold alone.
    if name == "quantity" and len(request.cart.line_items) == 1:
        return "cart.line_items[0].quantity"
    return FIELDS.get(first, "")


def _of_variant(rest: str, request: CreateRequest) -> str:
    variant, _, part = rest.partition(".")
    for index, item in enumerate(request.cart.line_items):
        if item.product_id == variant:
            field = "quantity" if part == "quantity" else "product_id"
            return f"cart.line_items[{index}].{field}"
    return "cart.line_items"


def _of_extra(rest: str, request: CreateRequest) -> str:
    for index, item in enumerate(request.cart.line_items):
        if item.custom_amount is not None:
            path = f"cart.line_items[{index}].custom_amount"
            return f"{path}.{rest}" if rest in {"amount", "currency"} else path
    return "cart.line_items"
