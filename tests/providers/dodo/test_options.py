"""The options structs against their proto messages."""

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict, Parse

from checkout.v1 import dodo_options_pb2, provider_options_pb2
from service.core.model import Cart, CreateRequest, LineItem, Money
from service.providers.dodo.options import (
    CreditEntitlement,
    DodoLineItemOptions,
    DodoOptions,
    FieldType,
    Theme,
    line_options,
    session_options,
)
from tests.providers.messages import compare


@pytest.mark.parametrize(
    ("message", "struct"),
    [
        (dodo_options_pb2.DodoOptions, DodoOptions),
        (dodo_options_pb2.DodoLineItemOptions, DodoLineItemOptions),
    ],
)
def test_structs_have_the_fields_of_their_messages(
    message: type[dodo_options_pb2.DodoOptions], struct: type[msgspec.Struct]
) -> None:
    """Every message, field, type and enum value has its counterpart, and no struct has more."""
    compare(message.DESCRIPTOR, struct)


def test_options_decode_from_protobuf_json() -> None:
    """What MessageToDict makes of a message, 64-bit numbers as text included, is decoded."""
    text = """{"dodo": {
      "customization": {"theme": "THEME_DARK", "showOrderDetails": false},
      "mandateMinAmount": {"amount": 1500000, "currency": "INR"},
      "subscription": {"trialPeriodDays": 0},
      "customFields": [{"key": "size", "label": "Size", "fieldType": "FIELD_TYPE_DROPDOWN",
                        "options": ["S", "M"]}]}}"""
    message = Parse(text, provider_options_pb2.ProviderOptions())
    request = CreateRequest(
        provider="dodo",
        cart=Cart(),
        provider_options=MessageToDict(message, preserving_proto_field_name=True),
    )
    options = session_options(request)
    assert options.customization is not None
    assert options.customization.theme is Theme.DARK
    assert options.customization.show_order_details is False
    assert options.mandate_min_amount == Money(1500000, "INR")
    assert options.subscription is not None
    assert options.subscription.trial_period_days == 0
    assert options.custom_fields[0].field_type is FieldType.DROPDOWN
    assert options.confirm is None


def test_absent_options_are_all_absent() -> None:
    """A request without options, or with another provider's, says nothing to Dodo."""
    nothing = CreateRequest(provider="dodo", cart=Cart())
    foreign = CreateRequest(provider="dodo", cart=Cart(), provider_options={"square": {"x": 1}})
    assert session_options(nothing) == session_options(foreign) == DodoOptions()
    assert line_options(LineItem()) == DodoLineItemOptions()


def test_line_options_decode() -> None:
    """Credits of a line are its own options."""
    credit = {"credit_entitlement_id": "cde_1", "credits_amount": "2.5"}
    item = LineItem(provider_options={"dodo": {"credit_entitlements": [credit]}})
    assert line_options(item).credit_entitlements == (CreditEntitlement("cde_1", "2.5"),)
