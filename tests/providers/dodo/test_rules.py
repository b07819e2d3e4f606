"""Dodo's rules across fields."""

import pytest

from service.core.model import (
    AddOn,
    Address,
    AmountBasis,
    Cart,
    CreateRequest,
    Customer,
    LineItem,
    Money,
    UnknownOutcomeStrategy,
)
from service.providers.dodo.rules import violations
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.dodo.documents import request, settled_customer

HUGE: dict[str, object] = {"amount": str(2**31), "currency": "INR"}
MANDATE: dict[str, object] = {"subscription": {"on_demand": {"mandate_only": True}}}


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (request(), []),
        (request(customer=Customer(first_name="Ada")), ["customer.email"]),
        (request(customer=Customer(phone_number="+1")), ["customer.email"]),
        (request(customer=Customer(tax_id="DE1")), ["customer.billing_address.country"]),
        (request(customer=Customer(tax_id="DE1", billing_address=Address(country="DE"))), []),
        (request(customer=Customer(locale="de")), []),
        (request(customer=Customer(locale="de-AT")), ["customer.locale"]),
        (request(customer=Customer(locale="xx")), ["customer.locale"]),
        (
            request(LineItem(product_id="p", custom_amount=Money(1, "XXX"))),
            ["cart.line_items[0].custom_amount.currency"],
        ),
        (
            request(LineItem(product_id="p", add_ons=(AddOn("a"), AddOn("b"), AddOn("a")))),
            ["cart.line_items[0].add_ons[0].add_on_id", "cart.line_items[0].add_ons[2].add_on_id"],
        ),
        (
            request(LineItem(product_id="p", add_ons=(AddOn("a", quantity=2**31),))),
            ["cart.line_items[0].add_ons[0].quantity"],
        ),
        (request(options={"confirm": True}, customer=settled_customer()), []),
        (
            request(options={"confirm": True}),
            [
                "customer.email",
                "customer.billing_address.country",
                "customer.billing_address.postal_code",
                "customer.billing_address.line1",
                "customer.billing_address.city",
                "customer.billing_address.region",
            ],
        ),
        (
            request(
                options={"confirm": True, "minimal_address": True},
                customer=Customer(customer_id="cus_1", billing_address=Address(country="US")),
            ),
            ["customer.billing_address.postal_code"],
        ),
        (
            request(options={"payment_method_id": "pm_1"}),
            ["provider_options.dodo.confirm", "customer.customer_id"],
        ),
        (
            request(
                options={"payment_method_id": "pm_1", "confirm": True},
                customer=settled_customer(email="", customer_id="cus_1"),
            ),
            [],
        ),
        (request(options=MANDATE), []),
        (
            request(
                options=MANDATE,
                cart=Cart(
                    line_items=(LineItem(product_id="p"), LineItem(add_ons=(AddOn("a"),))),
                    discount_codes=("A",),
                ),
            ),
            ["cart.discount_codes", "cart.line_items[1].add_ons"],
        ),
        (
            request(
                options={
                    "mandate_min_amount": HUGE,
                    "subscription": {
                        "on_demand": {
                            "mandate_only": False,
                            "product_price": {"amount": str(2**31), "currency": "XXX"},
                        }
                    },
                }
            ),
            [
                "provider_options.dodo.subscription.on_demand.product_price.currency",
                "provider_options.dodo.subscription.on_demand.product_price.amount",
                "provider_options.dodo.mandate_min_amount.amount",
            ],
        ),
    ],
)
def test_each_broken_rule_is_named_at_its_field(asked: CreateRequest, fields: list[str]) -> None:
    """All violations come at once, by their path in the contract."""
    assert [violation.field for violation in violations(asked)] == fields


def test_a_saved_method_of_payment_is_never_charged_twice() -> None:
    """A lost create that may have charged the buyer is not repeated; confirmed pages live shorter."""
    settings = AccountSettings(provider="dodo", live=True, api_key=Secret(value="key"))
    provider = build_provider(settings, chance=lambda: 0.0, observe=lambda *_: None)
    charging = request(options={"confirm": True, "payment_method_id": "pm_1"})
    assert provider.strategy(charging) is UnknownOutcomeStrategy.NEVER
    assert provider.strategy(request()) is UnknownOutcomeStrategy.RECREATE
    assert provider.lifetime(charging).total_seconds() == 15 * 60
    assert provider.lifetime(request()).total_seconds() == 24 * 3600
    assert provider.amount_basis(charging) is AmountBasis.NONE
