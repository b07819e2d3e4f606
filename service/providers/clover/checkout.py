"""The body of `POST /invoicingcheckoutservice/v1/checkouts`, from the fields of the contract."""

import re
from decimal import Decimal

from service.core.model import BuyerChoices, CreateRequest, Customer, LineItem, Tax
from service.core.ports import CreateCall
from service.providers.clover.options import session_options
from service.providers.text import filled, said

JsonObject = dict[str, object]

# One percent is 100 000 at Clover.
DECIMALS_OF_RATE = 5
# Braces are no part of a URL, so the contract takes Clover's own placeholders percent-encoded.
PLACEHOLDER = re.compile(r"%7B(CHECKOUT_SESSION_ID|ERROR_CODE)%7D", re.IGNORECASE)


def checkout_body(call: CreateCall) -> JsonObject:
    """Build the body of a request that has passed every check."""
    request = call.request
    lines = [_line(item) for item in request.cart.line_items]
    return {
        "customer": _customer(request.customer or Customer()),
        "shoppingCart": {"lineItems": lines},
    } | said(
        redirectUrls=said(
            success=_url(request.success_url, call),
            failure=_url(request.failure_url, call),
            cancel=_url(request.cancel_url, call),
        ),
        tips=_tips(request),
        pageConfigUuid=session_options(request).page_config_id,
    )


def rate(tax: Tax) -> int:
    """Return a tax rate at Clover's scale. Raises ValueError where that takes rounding."""
    scaled = Decimal(tax.percentage).scaleb(DECIMALS_OF_RATE)
    if scaled != scaled.to_integral_value():
        raise ValueError(tax.percentage)
    return int(scaled)


def count(item: LineItem) -> int:
    """Return the number of units of a line; absent it is one."""
    return 1 if item.quantity is None else item.quantity


def _customer(customer: Customer) -> JsonObject:
    return said(
        firstName=customer.first_name,
        lastName=customer.last_name,
        email=customer.email,
        phoneNumber=customer.phone_number,
    )


def _line(item: LineItem) -> JsonObject:
    return {"unitQty": count(item)} | said(
        name=item.name,
        price=item.unit_price.amount if item.unit_price else None,
        itemRefUuid=item.product_id,
        note=item.note,
        taxRates=[{"name": tax.name, "rate": rate(tax)} for tax in item.taxes],
    )


def _url(url: str, call: CreateCall) -> str:
    plain = PLACEHOLDER.sub(lambda found: f"{{{found[1].upper()}}}", url)
    return filled(plain, session_id=call.session_id, reference_id=call.request.reference_id)


def _tips(request: CreateRequest) -> JsonObject:
    choices = request.buyer_choices or BuyerChoices()
    return said(enabled=choices.tipping)
