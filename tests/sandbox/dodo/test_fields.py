"""The emulated API takes every documented field of `POST /checkouts`.

Fields: the vendor's OpenAPI documents 1.53.2 and 1.86.0, its npm package dodopayments 2.52.0, and
docs.dodopayments.com (checkout sessions, metadata).
"""

from typing import Any

import pytest

from tests.sandbox.harness import Bench, item

ADDRESS = {
    "country": "DE",
    "city": "Berlin",
    "state": "BE",
    "street": "Unter den Linden 1",
    "zipcode": "10117",
}


NEW_CUSTOMER = {"email": "ann@example.com", "name": "Ann", "phone_number": "+4930123456"}


QUESTION = {"key": "size", "label": "Size", "field_type": "text"}


FLAGS = """
    allow_currency_selection allow_discount_code allow_phone_number_collection allow_tax_id
    always_create_new_customer redirect_immediately allow_customer_editing_city
    allow_customer_editing_country allow_customer_editing_email allow_customer_editing_name
    allow_customer_editing_state allow_customer_editing_street allow_customer_editing_tax_id
    allow_customer_editing_zipcode allow_customer_editing_business_name allow_editing_addons
    require_cardholder_name require_phone_number require_tax_id single_page
""".split()


EVERYTHING: dict[str, Any] = {
    "product_cart": [
        item("pdt_demo_subscription", addons=[{"addon_id": "adn_demo", "quantity": 2}]),
        item("pdt_demo_pwyw", amount=700),
        item(
            "pdt_demo_credits",
            credit_entitlements=[{"credit_entitlement_id": "cde_demo", "credits_amount": "10.5"}],
        ),
        item("pdt_demo", quantity=0, amount=5),
    ],
    "allowed_payment_method_types": ["credit", "debit", "satispay"],
    "billing_address": ADDRESS,
    "billing_currency": "EUR",
    "cancel_url": "https://shop.example/cart",
    "confirm": True,
    "custom_fields": [
        {**QUESTION, "required": True, "placeholder": "M"},
        {"key": "c", "label": "Color", "field_type": "dropdown", "options": ["red", "blue"]},
        {"key": "n", "label": "N", "field_type": "number"},
        {"key": "u", "label": "U", "field_type": "url"},
        {"key": "b", "label": "B", "field_type": "boolean"},
    ],
    "customer": NEW_CUSTOMER,
    "customer_business_name": "Ann GmbH",
    "customization": {
        "theme": "dark",
        "show_order_details": False,
        "show_on_demand_tag": False,
        "force_language": "de",
        "theme_config": {
            "light": {"bg_primary": "#fff", "button_primary": "rgb(1, 2, 3)"},
            "dark": {"text_error": "red", "input_focus_border": None},
            "font_primary_url": "https://fonts.example/a.woff2",
            "font_secondary_url": None,
            "font_size": "2xl",
            "font_weight": "extraBold",
            "pay_button_text": "Order now",
            "radius": "0.5rem",
        },
    },
    "discount_codes": ["DEMO10", "DEMO500"],
    "feature_flags": dict.fromkeys(FLAGS, True),
    "force_3ds": True,
    "mandate_min_amount_inr_paise": 1_500_000,
    "metadata": {"checkout_session_id": "cs_1", "n": 1, "f": 1.5, "b": True},
    "minimal_address": False,
    "payment_method_id": None,
    "product_collection_id": "pdc_demo",
    "return_url": "http://127.0.0.1:9000/done?a=b",
    "short_link": True,
    "show_saved_payment_methods": True,
    "subscription_data": {"trial_period_days": 10_000},
    "tax_id": "DE123456789",
}


NULLABLE = (
    "allowed_payment_method_types billing_address billing_currency cancel_url custom_fields "
    "customer customer_business_name discount_code discount_codes force_3ds "
    "mandate_min_amount_inr_paise metadata payment_method_id product_collection_id return_url "
    "subscription_data tax_id"
).split()


async def test_every_documented_field_is_taken(bench: Bench) -> None:
    """A body that uses every documented field at once opens a session."""
    created = await bench.create(**EVERYTHING)
    assert created["session_id"].startswith("cks_")


@pytest.mark.parametrize("name", NULLABLE)
async def test_nullable_fields_take_null(bench: Bench, name: str) -> None:
    """A field that the documents call nullable may be sent as null."""
    await bench.create(**{name: None})


async def test_minimal_address_confirms_with_a_zip_code(bench: Bench) -> None:
    """With a minimal address, country and zip code are enough to confirm."""
    await bench.create(
        confirm=True,
        minimal_address=True,
        customer=NEW_CUSTOMER,
        billing_address={"country": "DE", "zipcode": "10117"},
    )


async def test_amount_of_a_fixed_price_is_ignored(bench: Bench) -> None:
    """The documents say so: only pay-what-you-want products take an amount."""
    created = await bench.create(product_cart=[item("pdt_demo", amount=1)])
    assert bench.sandbox.emulators["dodo"].session(created["session_id"]).amount == 1999
