"""The rules of the provider options accept what providers take and refuse the rest by field."""

import protovalidate
import pytest
from google.protobuf.json_format import ParseDict

from checkout.v1.checkout_service_pb2 import CreateSessionRequest

USD = {"amount": 151, "currency": "USD"}
MANY = {"amount": 2147483648, "currency": "USD"}
DROPDOWN = {"key": "size", "label": "Size", "field_type": "FIELD_TYPE_DROPDOWN", "options": ["S"]}
RECIPIENT = {"location_id": "L1", "description": "Fee", "amount": USD}
CREDITS = {"credit_entitlement_id": "cde_1", "credits_amount": "0.50"}

ACCEPTED = [
    {"dodo": {"subscription": {"trial_period_days": 7}}},
    {"dodo": {"confirm": True, "payment_method_id": "pm_1"}},
    {"dodo": {"mandate_min_amount": {"amount": 1500000, "currency": "INR"}}},
    {"dodo": {"subscription": {"on_demand": {"mandate_only": False, "product_price": USD}}}},
    {"dodo": {"custom_fields": [DROPDOWN]}},
    {"dodo": {"customization": {"theme_config": {"light": {"bg_primary": "rgb(1, 2, 3)"}}}}},
    {"dodo": {"customization": {"theme_config": {"font_size": "FONT_SIZE_2XL", "radius": "4px"}}}},
    {"clover": {"page_config_id": "8dc30ba1"}},
    {"sellapp": {"affiliate": "partner"}},
    {"sellapp": {"invoice_id": "3055526"}},
    {"fastspring": {"live": False, "external_account_id": "abcd"}},
    {"fastspring": {"ship_to_contact": {"email": "a@example.com", "phone_number": "+14155550100"}}},
    {"square": {"additional_recipients": [RECIPIENT], "note": "x" * 500}},
    {"square": {"service_charges": [{"name": "Service", "percentage": "7.25"}]}},
    {"square": {"fulfillment": {"type": "TYPE_SHIPMENT"}}},
    {"square": {"fulfillment": {"type": "TYPE_PICKUP", "time": "2030-01-01T10:00:00Z"}}},
]

REFUSED = [
    ({"dodo": {"subscription": {"trial_period_days": 10001}}}, "trial_period_days"),
    ({"dodo": {"payment_method_id": "pm_1"}}, "dodo"),
    ({"dodo": {"mandate_min_amount": USD}}, "mandate_min_amount"),
    ({"dodo": {"subscription": {"on_demand": {}}}}, "mandate_only"),
    (
        {"dodo": {"subscription": {"on_demand": {"mandate_only": True, "product_price": MANY}}}},
        "product_price",
    ),
    ({"dodo": {"custom_fields": [{**DROPDOWN, "options": []}]}}, "custom_fields"),
    ({"dodo": {"custom_fields": [{**DROPDOWN, "field_type": 1}]}}, "custom_fields"),
    ({"dodo": {"custom_fields": [DROPDOWN, DROPDOWN]}}, "custom_fields"),
    ({"dodo": {"customization": {"theme": 9}}}, "theme"),
    ({"dodo": {"customization": {"theme_config": {"radius": "4"}}}}, "radius"),
    ({"dodo": {"customization": {"theme_config": {"dark": {"text_error": "<b>"}}}}}, "text_error"),
    ({"fastspring": {"external_account_id": "abc"}}, "external_account_id"),
    ({"sellapp": {"invoice_id": "03"}}, "invoice_id"),
    ({"square": {"custom_fields": ["a", "b", "c"]}}, "custom_fields"),
    ({"square": {"additional_recipients": [{**RECIPIENT, "description": ""}]}}, "description"),
    (
        {
            "square": {
                "additional_recipients": [{**RECIPIENT, "amount": {"amount": 1, "currency": "EUR"}}]
            }
        },
        "amount",
    ),
    ({"square": {"service_charges": [{"name": "Service"}]}}, "service_charges"),
    ({"square": {"service_charges": [{"percentage": "1", "amount": USD}]}}, "service_charges"),
    (
        {
            "square": {
                "service_charges": [
                    {
                        "percentage": "1",
                        "calculation_phase": "CALCULATION_PHASE_TOTAL",
                        "taxable": True,
                    }
                ]
            }
        },
        "service_charges",
    ),
    ({"square": {"fulfillment": {"type": "TYPE_PICKUP"}}}, "fulfillment"),
]

LINE_ACCEPTED = [
    {"dodo": {"credit_entitlements": [CREDITS]}},
    {"fastspring": {"eds_fees": [USD, {"amount": 1, "currency": "EUR"}]}},
    {"fastspring": {"quantity_discounts": [{"min_quantity": 10, "percentage": "15"}]}},
    {"fastspring": {"descriptions": {"summary": {"en": "A book"}}}},
    {"fastspring": {"subscription": {"billing_interval": {"unit": "UNIT_MONTH", "length": 1}}}},
]

LINE_REFUSED = [
    ({"dodo": {"credit_entitlements": [{**CREDITS, "credits_amount": "0"}]}}, "credits_amount"),
    ({"dodo": {"credit_entitlements": [CREDITS, CREDITS]}}, "credit_entitlements"),
    ({"fastspring": {"eds_fees": [{"amount": 150, "currency": "USD"}]}}, "eds_fees"),
    ({"fastspring": {"unit_prices": [USD, USD]}}, "unit_prices"),
    ({"fastspring": {"quantity_discounts": [{"min_quantity": 2}]}}, "quantity_discounts"),
    ({"fastspring": {"descriptions": {"summary": {"EN": "A book"}}}}, "summary"),
    ({"fastspring": {"subscription": {"billing_interval": {"length": 1}}}}, "unit"),
]


def broken_fields(
    options: dict[str, object] | None = None, line_options: dict[str, object] | None = None
) -> list[str]:
    """Return the last name in the path of each violation."""
    line = {"product_id": "pdt_1", "provider_options": line_options}
    request = {"provider": "dodo", "cart": {"line_items": [line]}, "provider_options": options}
    violations = protovalidate.collect_violations(ParseDict(request, CreateSessionRequest()))
    paths = [violation.proto.field for violation in violations]
    return [path.elements[-1].field_name for path in paths if path]


@pytest.mark.parametrize("options", ACCEPTED)
def test_options_a_provider_takes_are_accepted(options: dict[str, object]) -> None:
    """What a provider documents passes the rules."""
    assert broken_fields(options) == []


@pytest.mark.parametrize(("options", "field"), REFUSED)
def test_options_beyond_a_limit_are_refused(options: dict[str, object], field: str) -> None:
    """A documented limit is checked before anything is sent."""
    assert broken_fields(options) == [field]


@pytest.mark.parametrize("options", LINE_ACCEPTED)
def test_line_options_a_provider_takes_are_accepted(options: dict[str, object]) -> None:
    """What a provider documents for a line passes the rules."""
    assert broken_fields(line_options=options) == []


@pytest.mark.parametrize(("options", "field"), LINE_REFUSED)
def test_line_options_beyond_a_limit_are_refused(options: dict[str, object], field: str) -> None:
    """A documented limit of a line is checked before anything is sent."""
    assert broken_fields(line_options=options) == [field]
