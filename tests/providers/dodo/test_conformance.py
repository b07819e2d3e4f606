"""The Dodo adapter in the conformance suite."""

from typing import ClassVar

from service.core.model import (
    AddOn,
    Address,
    Cart,
    CreateRequest,
    Customer,
    LineItem,
)
from tests.providers.suite import ProviderSuite

BASE = CreateRequest(
    provider="dodo", cart=Cart(line_items=(LineItem(product_id="pdt_demo", quantity=1),))
)
BUYER = CreateRequest(
    provider="dodo",
    cart=BASE.cart,
    customer=Customer(email="ada@example.com", billing_address=Address(country="US")),
)
PLAN = CreateRequest(
    provider="dodo",
    cart=Cart(
        line_items=(
            LineItem(product_id="pdt_demo_subscription", add_ons=(AddOn(add_on_id="adn_demo"),)),
        )
    ),
)
PLAN_ALONE = CreateRequest(
    provider="dodo", cart=Cart(line_items=(LineItem(product_id="pdt_demo_subscription"),))
)
CREDITS = CreateRequest(
    provider="dodo", cart=Cart(line_items=(LineItem(product_id="pdt_demo_credits"),))
)
ENTITLEMENTS = [{"credit_entitlement_id": "cde_demo", "credits_amount": "2.5"}]


class TestDodo(ProviderSuite):
    """Dodo Payments: POST /checkouts."""

    name = "dodo"
    base = BASE
    subscription = PLAN
    unknown_item = CreateRequest(
        provider="dodo", cart=Cart(line_items=(LineItem(product_id="pdt_nowhere"),))
    )
    samples: ClassVar = {
        "buyer_choices.discount_codes": (BASE, False),
        "cancel_url": (BASE, "https://shop.example/back?s={SESSION_ID}"),
        "cart.currency": (BASE, "EUR"),
        "cart.discount_codes": (BASE, ["DEMO10", "DEMO500"]),
        "cart.line_items.add_ons.add_on_id": (
            PLAN_ALONE,
            "adn_demo",
        ),
        "cart.line_items.add_ons.quantity": (PLAN, 3),
        "cart.line_items.custom_amount": (
            CreateRequest(
                provider="dodo", cart=Cart(line_items=(LineItem(product_id="pdt_demo_pwyw"),))
            ),
            {"amount": 700, "currency": "USD"},
        ),
        "cart.line_items.product_id": (BASE, "pdt_demo_taxed"),
        "cart.line_items.provider_options.dodo": (
            CREDITS,
            {"credit_entitlements": ENTITLEMENTS},
        ),
        "cart.line_items.quantity": (BASE, 3),
        "customer.billing_address.city": (BUYER, "Austin"),
        "customer.billing_address.country": (BUYER, "DE"),
        "customer.billing_address.line1": (BUYER, "1 Main St"),
        "customer.billing_address.line2": (BUYER, "Flat 2"),
        "customer.billing_address.postal_code": (BUYER, "78701"),
        "customer.billing_address.region": (BUYER, "TX"),
        "customer.company": (BUYER, "Analytical Engines"),
        "customer.customer_id": (BASE, "cus_demo"),
        "customer.email": (BASE, "grace@example.com"),
        "customer.first_name": (BUYER, "Ada"),
        "customer.last_name": (BUYER, "Lovelace"),
        "customer.locale": (BASE, "de"),
        "customer.phone_number": (BUYER, "+14155550100"),
        "customer.tax_id": (BUYER, "DE999999999"),
        "payment_methods.allowed": (BASE, ["credit", "debit"]),
        "provider_options.dodo": (BASE, {"short_link": True}),
        "success_url": (BASE, "https://shop.example/done?s={SESSION_ID}"),
    }
