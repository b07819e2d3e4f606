"""SellApp's rules across fields, which no capability can declare; paths are those of the contract."""

import re
from collections.abc import Iterator

from service.core.model import CreateRequest, Customer, LineItem, PaymentMethods, Violation
from service.providers.sellapp.fields import MINE
from service.providers.sellapp.options import session_options

# As SellApp writes them: another spelling of a number would be another key of its map.
ID = re.compile(r"[1-9][0-9]{0,17}")
METHOD = re.compile(r"[A-Z0-9_]{1,64}")


def violations(request: CreateRequest) -> Iterator[Violation]:
    """Yield everything of SellApp's own rules that a request breaks."""
    yield from _variants(request.cart.line_items)
    if invoice_id := session_options(request).invoice_id:
        yield from _named_invoice(request, invoice_id)
        return
    customer = request.customer or Customer()
    if not customer.email:
        yield Violation("customer.email", "sellapp needs it")
    yield from _method(request.payment_methods or PaymentMethods())
    yield from _custom_amount(request.cart.line_items)


def _variants(items: tuple[LineItem, ...]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        path = f"cart.line_items[{index}].product_id"
        if item.product_id and not ID.fullmatch(item.product_id):
            yield Violation(path, "sellapp's variants have numbers: write one as sellapp does")
        if item.product_id in seen:
            yield Violation(path, "sellapp takes each variant once: add up the quantities")
        seen.add(item.product_id)


def _method(methods: PaymentMethods) -> Iterator[Violation]:
    path = "payment_methods.allowed"
    if len(methods.allowed) != 1:
        yield Violation(path, "sellapp needs exactly one")
    elif not METHOD.fullmatch(methods.allowed[0]):
        yield Violation(f"{path}[0]", "sellapp's names of methods are like STRIPE or ETH_USDC")


def _custom_amount(items: tuple[LineItem, ...]) -> Iterator[Violation]:
    chosen = [index for index, item in enumerate(items) if item.custom_amount is not None]
    for index in chosen[1:]:
        path = f"cart.line_items[{index}].custom_amount"
        yield Violation(path, "sellapp adds one amount to an invoice")
    for index in chosen[:1]:
        if items[index].quantity not in {None, 1}:
            path = f"cart.line_items[{index}].quantity"
            yield Violation(path, "sellapp adds the custom_amount once: take one unit")


def _named_invoice(request: CreateRequest, invoice_id: str) -> Iterator[Violation]:
    if not ID.fullmatch(invoice_id):
        yield Violation(f"{MINE}.invoice_id", "sellapp's invoices have numbers")
    settled = {
        "cart.discount_codes": request.cart.discount_codes,
        "customer": request.customer,
        "payment_methods": request.payment_methods,
        f"{MINE}.affiliate": session_options(request).affiliate,
    } | {
        f"cart.line_items[{index}].custom_amount": item.custom_amount
        for index, item in enumerate(request.cart.line_items)
    }
    for path, value in settled.items():
        if value:
            yield Violation(path, "the invoice named by invoice_id settles it: leave it out")
