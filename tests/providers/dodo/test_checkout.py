"""What is sent to POST /checkouts."""

import pytest

from service.core.model import (
    AddOn,
    Address,
    BuyerChoices,
    Cart,
    Customer,
    LineItem,
    Money,
    PaymentMethods,
)
from service.providers.dodo.checkout import FIELD_TYPES, FONT_SIZES, FONT_WEIGHTS, checkout_body
from service.providers.dodo.options import ThemeColors
from tests.providers.dodo.documents import SESSION_ID, call, request

COLORS = dict.fromkeys(ThemeColors.__struct_fields__, "#fff")


def test_the_smallest_request_says_nothing_that_was_not_asked() -> None:
    """One product, quantity 1, and our id in the metadata."""
    assert checkout_body(call(request())) == {
        "product_cart": [{"product_id": "pdt_1", "quantity": 1}],
        "metadata": {"checkout_session_id": SESSION_ID},
    }


def test_every_common_field_has_its_place() -> None:
    """Lines, customer, addresses, URLs, methods, codes and metadata are renamed, not changed."""
    asked = request(
        cart=Cart(
            currency="EUR",
            discount_codes=("A", "B"),
            line_items=(
                LineItem(
                    product_id="pdt_1",
                    quantity=2,
                    custom_amount=Money(500, "EUR"),
                    add_ons=(AddOn(add_on_id="adn_1"), AddOn(add_on_id="adn_2", quantity=0)),
                    provider_options={
                        "dodo": {
                            "credit_entitlements": [
                                {"credit_entitlement_id": "cde_1", "credits_amount": "2.5"}
                            ]
                        }
                    },
                ),
            ),
        ),
        customer=Customer(
            email="ada@example.com",
            first_name="Ada",
            last_name="Lovelace",
            phone_number="+14155550100",
            company="Engines",
            tax_id="DE1",
            locale="de",
            billing_address=Address("DE", "Street 1", "Flat 2", "Berlin", "BE", "10115"),
        ),
        success_url="https://shop.example/{REFERENCE_ID}?s={SESSION_ID}",
        cancel_url="https://shop.example/back",
        reference_id="order 7/8",
        payment_methods=PaymentMethods(allowed=("credit", "debit")),
        buyer_choices=BuyerChoices(discount_codes=False),
        metadata={"order": "7"},
    )
    assert checkout_body(call(asked)) == {
        "product_cart": [
            {
                "product_id": "pdt_1",
                "quantity": 2,
                "amount": 500,
                "addons": [
                    {"addon_id": "adn_1", "quantity": 1},
                    {"addon_id": "adn_2", "quantity": 0},
                ],
                "credit_entitlements": [
                    {"credit_entitlement_id": "cde_1", "credits_amount": "2.5"}
                ],
            }
        ],
        "allowed_payment_method_types": ["credit", "debit"],
        "billing_address": {
            "country": "DE",
            "street": "Street 1, Flat 2",
            "city": "Berlin",
            "state": "BE",
            "zipcode": "10115",
        },
        "billing_currency": "EUR",
        "cancel_url": "https://shop.example/back",
        "customer": {
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "phone_number": "+14155550100",
        },
        "customer_business_name": "Engines",
        "customization": {"force_language": "de"},
        "discount_codes": ["A", "B"],
        "feature_flags": {"allow_discount_code": False},
        "metadata": {"order": "7", "checkout_session_id": SESSION_ID},
        "return_url": f"https://shop.example/order%207%2F8?s={SESSION_ID}",
        "tax_id": "DE1",
    }


def test_every_option_has_its_place() -> None:
    """All of Dodo's own fields are sent under Dodo's own names and words; false and 0 are said."""
    options: dict[str, object] = {
        "confirm": False,
        "customization": {
            "theme": "THEME_SYSTEM",
            "show_order_details": False,
            "show_on_demand_tag": True,
            "theme_config": {
                "light": COLORS,
                "dark": {"bg_primary": "#000"},
                "font_primary_url": "https://fonts.example/1",
                "font_secondary_url": "https://fonts.example/2",
                "font_size": "FONT_SIZE_2XL",
                "font_weight": "FONT_WEIGHT_EXTRA_BOLD",
                "pay_button_text": "Pay now",
                "radius": "0.5rem",
            },
        },
        "feature_flags": {"allow_tax_id": False, "single_page": True},
        "subscription": {
            "trial_period_days": 0,
            "on_demand": {
                "mandate_only": False,
                "product_price": {"amount": "900", "currency": "USD"},
                "product_description": "First month",
                "adaptive_currency_fees_inclusive": False,
            },
        },
        "show_saved_payment_methods": True,
        "custom_fields": [
            {"key": "name", "label": "Name", "field_type": "FIELD_TYPE_TEXT", "required": True},
            {
                "key": "size",
                "label": "Size",
                "field_type": "FIELD_TYPE_DROPDOWN",
                "placeholder": "Choose",
                "options": ["S", "M"],
            },
        ],
        "force_3ds": False,
        "mandate_min_amount": {"amount": "1500000", "currency": "INR"},
        "minimal_address": True,
        "payment_method_id": "pm_1",
        "product_collection_id": "pdc_1",
        "short_link": True,
    }
    body = checkout_body(call(request(options=options)))
    assert {name: body[name] for name in body.keys() - {"metadata", "product_cart"}} == {
        "confirm": False,
        "customization": {
            "theme": "system",
            "show_order_details": False,
            "show_on_demand_tag": True,
            "theme_config": {
                "light": COLORS,
                "dark": {"bg_primary": "#000"},
                "font_primary_url": "https://fonts.example/1",
                "font_secondary_url": "https://fonts.example/2",
                "font_size": "2xl",
                "font_weight": "extraBold",
                "pay_button_text": "Pay now",
                "radius": "0.5rem",
            },
        },
        "feature_flags": {"allow_tax_id": False, "single_page": True},
        "subscription_data": {
            "trial_period_days": 0,
            "on_demand": {
                "mandate_only": False,
                "product_price": 900,
                "product_currency": "USD",
                "product_description": "First month",
                "adaptive_currency_fees_inclusive": False,
            },
        },
        "show_saved_payment_methods": True,
        "custom_fields": [
            {"key": "name", "label": "Name", "field_type": "text", "required": True},
            {
                "key": "size",
                "label": "Size",
                "field_type": "dropdown",
                "placeholder": "Choose",
                "options": ["S", "M"],
            },
        ],
        "force_3ds": False,
        "mandate_min_amount_inr_paise": 1500000,
        "minimal_address": True,
        "payment_method_id": "pm_1",
        "product_collection_id": "pdc_1",
        "short_link": True,
    }


def test_words_are_those_of_the_documents() -> None:
    """Every enum value has Dodo's word for it."""
    assert set(FONT_SIZES.values()) == {"xs", "sm", "md", "lg", "xl", "2xl"}
    assert set(FONT_WEIGHTS.values()) == {"normal", "medium", "bold", "extraBold"}
    types = "text number email url date dropdown boolean"
    assert set(FIELD_TYPES.values()) == set(types.split())


@pytest.mark.parametrize(
    ("customer", "sent"),
    [
        (Customer(customer_id="cus_1"), {"customer_id": "cus_1"}),
        (Customer(email="a@b.c"), {"email": "a@b.c"}),
        (Customer(email="a@b.c", last_name="Curie"), {"email": "a@b.c", "name": "Curie"}),
        (Customer(locale="de"), None),
    ],
)
def test_a_customer_is_an_existing_or_a_new_one(customer: Customer, sent: object) -> None:
    """Only what identifies the buyer makes a customer object."""
    assert checkout_body(call(request(customer=customer))).get("customer") == sent


def test_the_second_address_line_alone_is_the_street() -> None:
    """No line of an address is dropped."""
    customer = Customer(billing_address=Address(country="US", line2="Suite 5"))
    body = checkout_body(call(request(customer=customer)))
    assert body["billing_address"] == {"country": "US", "street": "Suite 5"}


def test_a_chosen_amount_names_its_currency() -> None:
    """An amount's currency is told to Dodo even where the cart names none."""
    item = LineItem(product_id="pdt_1", custom_amount=Money(700, "EUR"))
    assert checkout_body(call(request(item)))["billing_currency"] == "EUR"
