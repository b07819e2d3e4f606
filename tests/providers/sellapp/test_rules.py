"""SellApp's rules across fields, each refused by its own path."""

import msgspec
import pytest

from service.core.model import (
    Address,
    CreateRequest,
    Customer,
    LineItem,
    Money,
    PaymentMethods,
)
from service.providers.sellapp.rules import violations
from tests.providers.sellapp.documents import SHOP, named, selling

DOLLAR = Money(100, "USD")
SHIRT = LineItem(product_id="4321")


def fields(request: CreateRequest) -> list[str]:
    """List what a request breaks."""
    return [violation.field for violation in violations(request)]


def with_methods(*allowed: str) -> CreateRequest:
    """Return the request with other ways to pay."""
    return msgspec.structs.replace(SHOP, payment_methods=PaymentMethods(allowed=allowed))


@pytest.mark.parametrize(
    ("request_", "broken"),
    [
        (SHOP, []),
        (msgspec.structs.replace(SHOP, customer=None), ["customer.email"]),
        (msgspec.structs.replace(SHOP, customer=Customer(tax_id="DE1")), ["customer.email"]),
        (msgspec.structs.replace(SHOP, payment_methods=None), ["payment_methods.allowed"]),
        (with_methods(), ["payment_methods.allowed"]),
        (with_methods("STRIPE", "PAYPAL"), ["payment_methods.allowed"]),
        (with_methods("stripe"), ["payment_methods.allowed[0]"]),
        # SellApp adds methods more often than this service is released.
        (with_methods("NEW_METHOD_2"), []),
        (selling(LineItem(product_id="shirt")), ["cart.line_items[0].product_id"]),
        (selling(LineItem(product_id="04321")), ["cart.line_items[0].product_id"]),
        (selling(LineItem(product_id="4" * 19)), ["cart.line_items[0].product_id"]),
        (selling(SHIRT, LineItem(product_id="4322")), []),
        (selling(SHIRT, SHIRT), ["cart.line_items[1].product_id"]),
        (selling(LineItem(product_id="4321", custom_amount=DOLLAR)), []),
        (
            selling(LineItem(product_id="4321", quantity=2, custom_amount=DOLLAR)),
            ["cart.line_items[0].quantity"],
        ),
        (
            selling(
                LineItem(product_id="4321", custom_amount=DOLLAR),
                LineItem(product_id="4322", custom_amount=DOLLAR),
            ),
            ["cart.line_items[1].custom_amount"],
        ),
    ],
)
def test_each_broken_rule_is_named(request_: CreateRequest, broken: list[str]) -> None:
    """One violation for each, and none for what SellApp takes."""
    assert fields(request_) == broken


def test_a_named_invoice_needs_nothing_but_its_cart() -> None:
    """Neither customer nor payment method: the invoice has them."""
    assert fields(named("3055526")) == []
    assert fields(named("x")) == ["provider_options.sellapp.invoice_id"]


def test_what_a_named_invoice_settles_is_refused() -> None:
    """Nothing is dropped in silence: each field that would not be sent is named."""
    asked = msgspec.structs.replace(
        SHOP,
        cart=msgspec.structs.replace(
            SHOP.cart,
            line_items=(LineItem(product_id="4321", custom_amount=DOLLAR),),
            discount_codes=("DEMO10",),
        ),
        customer=Customer(billing_address=Address(country="DE")),
        provider_options={"sellapp": {"invoice_id": "1", "affiliate": "partner"}},
    )
    assert sorted(fields(asked)) == [
        "cart.discount_codes",
        "cart.line_items[0].custom_amount",
        "customer",
        "payment_methods",
        "provider_options.sellapp.affiliate",
    ]
