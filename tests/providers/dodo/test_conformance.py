"""The Dodo adapter in the conformance suite."""

from typing import ClassVar

import msgspec
import pytest

from service.core.model import (
    AddOn,
    Address,
    Cart,
    CreateRequest,
    Customer,
    LineItem,
    PaymentState,
)
from service.providers.dodo.options import DodoOptions, FeatureFlags, FieldType, ThemeColors
from tests.providers.dodo.documents import settled_customer
from tests.providers.sandbox import Place
from tests.providers.suite import ProviderSuite, accepted, build, call_for, settings_for

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


COLORS = dict.fromkeys(ThemeColors.__struct_fields__, "#1a2b3c")
THEME: dict[str, object] = {
    "light": COLORS,
    "dark": COLORS,
    "font_primary_url": "https://fonts.example/1",
    "font_secondary_url": "https://fonts.example/2",
    "font_size": "FONT_SIZE_2XL",
    "font_weight": "FONT_WEIGHT_EXTRA_BOLD",
    "pay_button_text": "Pay now",
    "radius": "0.5rem",
}
LOOK = {
    "theme": "THEME_SYSTEM",
    "show_order_details": False,
    "show_on_demand_tag": False,
    "theme_config": THEME,
}
MANDATE = {
    "mandate_only": True,
    "product_price": {"amount": "500", "currency": "USD"},
    "product_description": "First month",
    "adaptive_currency_fees_inclusive": True,
}
QUESTIONS = [
    {
        "key": member.name,
        "label": "Question",
        "field_type": member.value,
        "required": True,
        "placeholder": "Answer",
    }
    | ({"options": ["A", "B"]} if member is FieldType.DROPDOWN else {})
    for member in FieldType
]
SAVED = settled_customer(email="", customer_id="cus_demo")

OPTIONS: dict[str, tuple[CreateRequest, dict[str, object]]] = {
    "confirm": (BASE, {"confirm": True}),
    "custom_fields": (BASE, {"custom_fields": QUESTIONS[:5]}),
    "customization": (BASE, {"customization": LOOK}),
    "feature_flags": (
        BASE,
        {"feature_flags": dict.fromkeys(FeatureFlags.__struct_fields__, False)},
    ),
    "force_3ds": (BASE, {"force_3ds": True}),
    "mandate_min_amount": (BASE, {"mandate_min_amount": {"amount": "1", "currency": "INR"}}),
    "minimal_address": (BASE, {"minimal_address": True}),
    "payment_method_id": (BASE, {"confirm": True, "payment_method_id": "pm_demo"}),
    "product_collection_id": (BASE, {"product_collection_id": "pdc_demo"}),
    "short_link": (BASE, {"short_link": True}),
    "show_saved_payment_methods": (BASE, {"show_saved_payment_methods": True}),
    "subscription": (PLAN_ALONE, {"subscription": {"trial_period_days": 7, "on_demand": MANDATE}}),
}


FURTHER = [
    msgspec.structs.replace(base, customer=SAVED, provider_options={"dodo": options})
    for base, options in (*OPTIONS.values(), (BASE, {"custom_fields": QUESTIONS[5:]}))
]
"""Requests that set, together, every option there is."""


@pytest.mark.parametrize("name", DodoOptions.__struct_fields__)
async def test_every_option_is_sent_and_taken(name: str, place: Place) -> None:
    """Each of Dodo's own options passes the checks and the emulator, which takes nothing unknown."""
    base, options = OPTIONS[name]
    asked = msgspec.structs.replace(base, customer=SAVED, provider_options={"dodo": options})
    provider = build(settings_for(place, "dodo"))
    assert accepted(asked, provider)
    assert (await provider.create(call_for(asked))).provider_session_id
    await provider.create(call_for(msgspec.structs.replace(asked, provider_options=None)))
    assert place.bodies[0] != place.bodies[1]
    await provider.close()


async def test_every_type_of_question_is_taken(place: Place) -> None:
    """Custom fields beyond the five that fit one session are Dodo's too."""
    asked = msgspec.structs.replace(
        BASE, provider_options={"dodo": {"custom_fields": QUESTIONS[5:]}}
    )
    provider = build(settings_for(place, "dodo"))
    assert (await provider.create(call_for(asked))).provider_session_id
    await provider.close()


async def test_a_saved_method_is_charged_at_once(place: Place) -> None:
    """There is no page, and asking finds the payment made."""
    options = {"confirm": True, "payment_method_id": "pm_demo"}
    asked = msgspec.structs.replace(BASE, customer=SAVED, provider_options={"dodo": options})
    provider = build(settings_for(place, "dodo"))
    created = await provider.create(call_for(asked))
    assert (created.url, created.warnings) == ("", ())
    found = await provider.retrieve(created.provider_session_id)
    assert [payment.status for payment in found.payments] == [PaymentState.PAID]
    await provider.close()


async def test_a_trial_is_authorised_by_asking_and_by_webhook(place: Place) -> None:
    """Nothing is due, whichever way the service hears of it."""
    options = {"subscription": {"trial_period_days": 7}}
    asked = msgspec.structs.replace(PLAN_ALONE, provider_options={"dodo": options})
    provider = build(settings_for(place, "dodo"))
    created = await provider.create(call_for(asked))
    for delivery in place.sandbox.emulators["dodo"].pay(created.provider_session_id):
        await delivery.tried.wait()
    assert (await provider.retrieve(created.provider_session_id)).authorised
    reports = [
        event.report for hook in place.hooks for event in provider.parse(hook.headers, hook.body)
    ]
    assert [getattr(report, "authorised", None) for report in reports] == [True, True]
    await provider.close()
