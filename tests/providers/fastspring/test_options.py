"""The options structs against their proto messages."""

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict, Parse

from checkout.v1 import fastspring_options_pb2, provider_options_pb2
from service.core.model import Cart, CreateRequest, LineItem, Money
from service.providers.fastspring.options import (
    FastspringLineItemOptions,
    FastspringOptions,
    ShipToType,
    Unit,
    line_options,
    session_options,
)
from tests.providers.messages import compare


@pytest.mark.parametrize(
    ("message", "struct"),
    [
        (fastspring_options_pb2.FastspringOptions, FastspringOptions),
        (fastspring_options_pb2.FastspringLineItemOptions, FastspringLineItemOptions),
    ],
)
def test_structs_have_the_fields_of_their_messages(
    message: type[fastspring_options_pb2.FastspringOptions], struct: type[msgspec.Struct]
) -> None:
    """Every message, field, type and enum value has its counterpart, and no struct has more."""
    compare(message.DESCRIPTOR, struct)


def test_options_decode_from_protobuf_json() -> None:
    """What MessageToDict makes of a message, 64-bit numbers as text included, is decoded."""
    text = """{"fastspring": {"shipToType": "SHIP_TO_TYPE_GIFT_PURCHASE", "live": false,
      "accountTags": {"a": "b"}, "shipToContact": {"email": "a@example.com"}}}"""
    message = Parse(text, provider_options_pb2.ProviderOptions())
    request = CreateRequest(
        provider="fastspring",
        cart=Cart(),
        provider_options=MessageToDict(message, preserving_proto_field_name=True),
    )
    options = session_options(request)
    assert options.ship_to_type is ShipToType.GIFT_PURCHASE
    assert options.live is False
    assert options.account_tags == {"a": "b"}
    assert options.ship_to_contact is not None
    assert options.ship_to_contact.email == "a@example.com"


def test_line_options_decode_from_protobuf_json() -> None:
    """Amounts of a line's own currencies are whole numbers again."""
    text = """{"fastspring": {"setupFees": [{"amount": "500", "currency": "USD"}],
      "subscription": {"billingInterval": {"unit": "UNIT_ON_DEMAND"}, "trialPeriodDays": 0}}}"""
    message = Parse(text, provider_options_pb2.LineItemOptions())
    given = MessageToDict(message, preserving_proto_field_name=True)
    options = line_options(LineItem(provider_options=given))
    assert options.setup_fees == (Money(500, "USD"),)
    assert options.subscription is not None
    assert options.subscription.trial_period_days == 0
    assert options.subscription.billing_interval is not None
    assert options.subscription.billing_interval.unit is Unit.ON_DEMAND


def test_absent_options_are_all_absent() -> None:
    """A request without options, or with another provider's, says nothing to FastSpring."""
    nothing = CreateRequest(provider="fastspring", cart=Cart())
    foreign = CreateRequest(provider="fastspring", cart=Cart(), provider_options={"dodo": {"x": 1}})
    assert session_options(nothing) == session_options(foreign) == FastspringOptions()
    assert line_options(LineItem()) == FastspringLineItemOptions()
