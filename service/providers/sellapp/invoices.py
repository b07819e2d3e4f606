"""The body of `POST /v2/invoices`, from the fields all providers share and SellApp's own."""

from service.core.model import CreateRequest, Customer, LineItem
from service.providers.sellapp.options import session_options
from service.providers.text import said

JsonObject = dict[str, object]


def invoice_body(request: CreateRequest) -> JsonObject:
    """Build the body of `POST /v2/invoices`; it has no place for an id of ours."""
    customer = request.customer or Customer()
    address = customer.billing_address
    methods = request.payment_methods.allowed if request.payment_methods else ()
    codes = request.cart.discount_codes
    return {
        "customer_email": customer.email,
        "payment_method": methods[0] if methods else "",
        "product_variants": {
            variant: {"quantity": quantity} for variant, quantity in quantities(request).items()
        },
    } | said(
        customer_ip=customer.ip_address,
        coupon=codes[0] if codes else "",
        vat_id=customer.tax_id,
        country=address.country if address else "",
        affiliate=session_options(request).affiliate,
        extra=_extra(request.cart.line_items),
    )


def quantities(request: CreateRequest) -> dict[str, int]:
    """Return how many of each variant are sold; a request that passed the rules names each once."""
    return {
        item.product_id: 1 if item.quantity is None else item.quantity
        for item in request.cart.line_items
    }


def _extra(items: tuple[LineItem, ...]) -> JsonObject:
    chosen = next((item.custom_amount for item in items if item.custom_amount), None)
    return {"amount": chosen.amount, "currency": chosen.currency} if chosen else {}
