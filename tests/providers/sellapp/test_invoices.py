"""The body of `POST /v2/invoices`."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import (
    Address,
    Cart,
    CreateRequest,
    Customer,
    LineItem,
    Money,
    PaymentMethods,
)
from service.providers.sellapp.invoices import invoice_body
from tests.providers.sellapp.documents import SHOP, fixture


def test_the_smallest_body_is_the_documents() -> None:
    """The example of SellApp's own command line comes out word for word."""
    buyer = Customer(email="maya.chen@example.com")
    asked = msgspec.structs.replace(SHOP, customer=buyer)
    assert invoice_body(asked) == fixture("invoice_request")
    silent = msgspec.structs.replace(asked, cart=Cart(line_items=(LineItem(product_id="4321"),)))
    assert invoice_body(silent) == fixture("invoice_request")


def test_every_field_has_its_place() -> None:
    """Variants are a map by number, and what is not said is not sent."""
    asked = CreateRequest(
        provider="sellapp",
        cart=Cart(
            line_items=(
                LineItem(product_id="4321", custom_amount=Money(250, "EUR")),
                LineItem(product_id="4322", quantity=3),
            ),
            discount_codes=("DEMO10",),
        ),
        customer=Customer(
            email="ada@example.com",
            ip_address="2001:db8::1",
            tax_id="DE999999999",
            billing_address=Address(country="DE"),
        ),
        payment_methods=PaymentMethods(allowed=("ETH_USDT",)),
        metadata={"order": "7"},
        reference_id="ref-7",
        provider_options={"sellapp": {"affiliate": "partner"}},
    )
    assert invoice_body(asked) == {
        "customer_email": "ada@example.com",
        "payment_method": "ETH_USDT",
        "product_variants": {"4321": {"quantity": 1}, "4322": {"quantity": 3}},
        "customer_ip": "2001:db8::1",
        "coupon": "DEMO10",
        "vat_id": "DE999999999",
        "country": "DE",
        "affiliate": "partner",
        "extra": {"amount": 250, "currency": "EUR"},
    }


@given(st.integers(0, 2**53 - 1))
def test_an_extra_amount_is_an_integer_of_minor_units(amount: int) -> None:
    """Whatever its size, it is sent exactly, and 0 is an amount."""
    line = LineItem(product_id="4321", custom_amount=Money(amount, "JPY"))
    body = invoice_body(msgspec.structs.replace(SHOP, cart=Cart(line_items=(line,))))
    assert body["extra"] == {"amount": amount, "currency": "JPY"}
