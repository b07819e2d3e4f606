"""The emulated API refuses what the documents of `POST /checkouts` do not allow.

Limits and codes: docs.dodopayments.com (checkout sessions, error codes, metadata), the
vendor's OpenAPI documents 1.53.2 and 1.86.0, and its npm package dodopayments 2.52.0.
"""

from typing import Any

import pytest

from tests.sandbox.dodo import shapes
from tests.sandbox.harness import Bench, body_with, item

ADDRESS = {
    "country": "DE",
    "city": "Berlin",
    "state": "BE",
    "street": "Unter den Linden 1",
    "zipcode": "10117",
}
NEW_CUSTOMER = {"email": "ann@example.com", "name": "Ann", "phone_number": "+4930123456"}
QUESTION = {"key": "size", "label": "Size", "field_type": "text"}
PLAN = [item("pdt_demo_subscription")]
ON_DEMAND = {"on_demand": {"mandate_only": False, "product_price": 700}}


BROKEN_SCHEMA: dict[str, dict[str, Any]] = {
    "unknown field": {"prodcut_cart": []},
    "unknown item field": {"product_cart": [item("pdt_demo", price=1)]},
    "unknown flag": {"feature_flags": {"allow_everything": True}},
    "unknown customer field": {"customer": {"email": "a@example.com", "first_name": "A"}},
    "no cart": {"product_cart": None},
    "cart not a list": {"product_cart": {}},
    "no quantity": {"product_cart": [{"product_id": "pdt_demo"}]},
    "quantity true": {"product_cart": [item("pdt_demo", True)]},
    "quantity text": {"product_cart": [{"product_id": "pdt_demo", "quantity": "1"}]},
    "quantity fraction": {"product_cart": [{"product_id": "pdt_demo", "quantity": 1.0}]},
    "quantity negative": {"product_cart": [item("pdt_demo", -1)]},
    "quantity over int32": {"product_cart": [item("pdt_demo", 2**31)]},
    "amount over int32": {"product_cart": [item("pdt_demo_pwyw", amount=2**31)]},
    "21 items": {"product_cart": [item("pdt_demo")] * 21},
    "product id a number": {"product_cart": [item(1)]},  # type: ignore[arg-type]
    "addon without quantity": {
        "product_cart": [item("pdt_demo_subscription", addons=[{"addon_id": "adn_demo"}])]
    },
    "credits of zero": {
        "product_cart": [
            item(
                "pdt_demo_credits",
                credit_entitlements=[
                    {"credit_entitlement_id": "cde_demo", "credits_amount": "0.0"}
                ],
            )
        ]
    },
    "payment method unknown": {"allowed_payment_method_types": ["card"]},
    "payment method twice": {"allowed_payment_method_types": ["credit", "credit"]},
    "country unknown": {"billing_address": {"country": "ZZ"}},
    "country lower case": {"billing_address": {"country": "de"}},
    "address without country": {"billing_address": {"city": "Berlin"}},
    "zip code a number": {"billing_address": {"country": "DE", "zipcode": 10117}},
    "currency unknown": {"billing_currency": "XXX"},
    "currency lower case": {"billing_currency": "usd"},
    "confirm null": {"confirm": None},
    "confirm text": {"confirm": "true"},
    "confirm a number": {"confirm": 1},
    "short link null": {"short_link": None},
    "flags null": {"feature_flags": None},
    "customization null": {"customization": None},
    "customer empty": {"customer": {}},
    "customer without e-mail": {"customer": {"name": "Ann"}},
    "customer both ways": {"customer": {"customer_id": "cus_demo", "email": "a@example.com"}},
    "customer e-mail malformed": {"customer": {"email": "ann"}},
    "theme unknown": {"customization": {"theme": "blue"}},
    "language unknown": {"customization": {"force_language": "xx"}},
    "font size unknown": {"customization": {"theme_config": {"font_size": "3xl"}}},
    "font weight unknown": {"customization": {"theme_config": {"font_weight": "light"}}},
    "font not https": {
        "customization": {"theme_config": {"font_primary_url": "http://fonts.example/a"}}
    },
    "radius without unit": {"customization": {"theme_config": {"radius": "4"}}},
    "color malformed": {"customization": {"theme_config": {"light": {"bg_primary": "#x"}}}},
    "pay button text long": {"customization": {"theme_config": {"pay_button_text": "x" * 101}}},
    "21 codes": {"discount_codes": ["DEMO10"] * 21},
    "six custom fields": {
        "custom_fields": [{**QUESTION, "key": f"k{index}"} for index in range(6)]
    },
    "custom field of unknown type": {"custom_fields": [{**QUESTION, "field_type": "color"}]},
    "custom field without label": {"custom_fields": [{"key": "a", "field_type": "text"}]},
    "custom field key twice": {"custom_fields": [QUESTION, QUESTION]},
    "dropdown without options": {"custom_fields": [{**QUESTION, "field_type": "dropdown"}]},
    "options without dropdown": {"custom_fields": [{**QUESTION, "options": ["a"]}]},
    "metadata nested": {"metadata": {"a": {}}},
    "metadata null": {"metadata": {"a": None}},
    "metadata key with a dot": {"metadata": {"a.b": "c"}},
    "metadata key empty": {"metadata": {"": "c"}},
    "metadata key of 41": {"metadata": {"k" * 41: "c"}},
    "metadata value of 501": {"metadata": {"a": "v" * 501}},
    "return url relative": {"return_url": "/done"},
    "return url a script": {"return_url": "javascript:alert(1)"},
    "cancel url without host": {"cancel_url": "https://"},
    "trial negative": {"product_cart": PLAN, "subscription_data": {"trial_period_days": -1}},
    "trial too long": {"product_cart": PLAN, "subscription_data": {"trial_period_days": 10_001}},
    "on demand without mandate": {"product_cart": PLAN, "subscription_data": {"on_demand": {}}},
    "mandate floor text": {"mandate_min_amount_inr_paise": "1"},
    "force 3ds text": {"force_3ds": "yes"},
}

REFUSED: dict[str, tuple[int, str, dict[str, Any]]] = {
    "empty cart": (422, "PRODUCT_CART_EMTPY", {"product_cart": []}),
    "unknown product": (404, "NOT_FOUND", {"product_cart": [item("pdt_none")]}),
    "deleted product": (422, "PRODUCT_IS_DELETED", {"product_cart": [item("pdt_demo_deleted")]}),
    "incomplete product": (
        422,
        "MISSING_PRODUCT_INFORMATION",
        {"product_cart": [item("pdt_demo_incomplete")]},
    ),
    "unknown collection": (404, "NOT_FOUND", {"product_collection_id": "pdc_none"}),
    "unknown customer": (404, "NOT_FOUND", {"customer": {"customer_id": "cus_none"}}),
    "51 metadata pairs": (
        422,
        "MAXIMUM_KEYS_REACHED",
        {"metadata": {f"k{index}": "v" for index in range(51)}},
    ),
    "code and codes": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"discount_code": "DEMO10", "discount_codes": ["DEMO10"]},
    ),
    "unknown code": (422, "INVALID_DISCOUNT_CODE", {"discount_codes": ["NOPE"]}),
    "flat code in another currency": (
        422,
        "INVALID_DISCOUNT_CODE",
        {"product_cart": [item("pdt_demo_eur")], "discount_code": "DEMO500"},
    ),
    "no payment method left": (
        422,
        "NO_ELIGIBLE_PAYMENT_METHODS",
        {"allowed_payment_method_types": []},
    ),
    "tax id without country": (422, "INVALID_REQUEST_PARAMETERS", {"tax_id": "DE1"}),
    "confirm without customer": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"confirm": True, "billing_address": ADDRESS},
    ),
    "confirm without address": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"confirm": True, "customer": NEW_CUSTOMER},
    ),
    "confirm with part of the address": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {
            "confirm": True,
            "customer": NEW_CUSTOMER,
            "billing_address": {"country": "DE", "zipcode": "10117"},
        },
    ),
    "confirm without an amount": (
        422,
        "PAY_AS_YOU_WANT_AMOUNT_REQUIRED",
        {
            "confirm": True,
            "customer": NEW_CUSTOMER,
            "billing_address": ADDRESS,
            "product_cart": [item("pdt_demo_pwyw")],
        },
    ),
    "saved method without confirm": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"payment_method_id": "pm_demo", "customer": {"customer_id": "cus_demo"}},
    ),
    "saved method of a new customer": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {
            "payment_method_id": "pm_demo",
            "confirm": True,
            "customer": NEW_CUSTOMER,
            "billing_address": ADDRESS,
        },
    ),
    "unknown saved method": (
        404,
        "NOT_FOUND",
        {
            "payment_method_id": "pm_none",
            "confirm": True,
            "customer": {"customer_id": "cus_demo"},
            "billing_address": ADDRESS,
        },
    ),
    "add-on of a one-time product": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"product_cart": [item("pdt_demo", addons=[{"addon_id": "adn_demo", "quantity": 1}])]},
    ),
    "add-on twice": (
        422,
        "DUPLICATE_ADDON_IDS_IN_REQUEST",
        {
            "product_cart": [
                item("pdt_demo_subscription", addons=[{"addon_id": "adn_demo", "quantity": 1}] * 2)
            ]
        },
    ),
    "unknown add-on": (
        422,
        "MISSING_ADDON_IDS",
        {
            "product_cart": [
                item("pdt_demo_subscription", addons=[{"addon_id": "adn_none", "quantity": 1}])
            ]
        },
    ),
    "add-on of a metered plan": (
        422,
        "ADDONS_IN_USAGE_BASED_BILLING_NOT_SUPPORTED",
        {
            "product_cart": [
                item("pdt_demo_usage", addons=[{"addon_id": "adn_demo", "quantity": 1}])
            ]
        },
    ),
    "two metered plans": (422, "INVALID_QUANTITY", {"product_cart": [item("pdt_demo_usage", 2)]}),
    "amount under the minimum": (
        422,
        "REQUEST_AMOUNT_BELOW_MINIMUM",
        {"product_cart": [item("pdt_demo_pwyw", amount=499)]},
    ),
    "unknown credits": (
        404,
        "NOT_FOUND",
        {
            "product_cart": [
                item(
                    "pdt_demo",
                    credit_entitlements=[
                        {"credit_entitlement_id": "cde_demo", "credits_amount": "1"}
                    ],
                )
            ]
        },
    ),
    "total over int32": (422, "INVALID_QUANTITY", {"product_cart": [item("pdt_demo", 2**31 - 1)]}),
    "two currencies": (
        422,
        "INVALID_REQUEST_PARAMETERS",
        {"product_cart": [item("pdt_demo"), item("pdt_demo_eur")]},
    ),
    "one-time product on demand": (
        422,
        "ONE_TIME_PRODUCTS_NOT_ALLOWED_FOR_ON_DEMAND",
        {"product_cart": [*PLAN, item("pdt_demo")], "subscription_data": ON_DEMAND},
    ),
    "metered plan on demand": (
        422,
        "ON_DEMAND_USAGE_BASED_BILLING_NOT_SUPPORTED",
        {"product_cart": [item("pdt_demo_usage")], "subscription_data": ON_DEMAND},
    ),
    "add-on on demand": (
        422,
        "ADDONS_NOT_ALLOWED_FOR_ON_DEMAND",
        {
            "product_cart": [
                item("pdt_demo_subscription", addons=[{"addon_id": "adn_demo", "quantity": 1}])
            ],
            "subscription_data": ON_DEMAND,
        },
    ),
    "code on demand": (
        422,
        "DISCOUNT_NOT_AVAILABLE_FOR_ON_DEMAND",
        {"product_cart": PLAN, "subscription_data": ON_DEMAND, "discount_code": "DEMO10"},
    ),
}


@pytest.mark.parametrize("name", BROKEN_SCHEMA)
async def test_a_body_that_breaks_the_schema_is_refused(bench: Bench, name: str) -> None:
    """Unknown fields, wrong types, wrong variants and broken limits open no session."""
    body = body_with(**BROKEN_SCHEMA[name])
    status, error = await bench.call("POST", "/checkouts", body)
    assert (status, error["code"]) == (422, "INVALID_REQUEST_BODY")
    shapes.check(shapes.ERROR, error)
    assert list(bench.sandbox.emulators["dodo"].sessions()) == []


@pytest.mark.parametrize("name", REFUSED)
async def test_a_body_that_breaks_a_rule_is_refused(bench: Bench, name: str) -> None:
    """What does not fit together is refused with the documented code."""
    expected_status, code, fields = REFUSED[name]
    status, error = await bench.call("POST", "/checkouts", body_with(**fields))
    assert (status, error["code"]) == (expected_status, code)
    shapes.check(shapes.ERROR, error)
    assert list(bench.sandbox.emulators["dodo"].sessions()) == []


async def test_refusals_do_not_repeat_personal_values(bench: Bench) -> None:
    """The message names the place of a bad e-mail address, not the address."""
    body = body_with(customer={"email": "not-an-address"})
    _, error = await bench.call("POST", "/checkouts", body)
    assert "$.customer.email" in error["message"]
    assert "not-an-address" not in error["message"]
