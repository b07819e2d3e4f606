"""The options structs against their proto messages."""

from google.protobuf.json_format import MessageToDict, Parse

from checkout.v1 import provider_options_pb2, square_options_pb2
from service.core.model import Cart, CreateRequest, Money
from service.providers.square.options import (
    CalculationPhase,
    FulfillmentType,
    SquareOptions,
    session_options,
)
from tests.providers.messages import compare


def test_structs_have_the_fields_of_their_messages() -> None:
    """Every message, field, type and enum value has its counterpart, and no struct has more."""
    compare(square_options_pb2.SquareOptions.DESCRIPTOR, SquareOptions)


def test_options_decode_from_protobuf_json() -> None:
    """What MessageToDict makes of a message, 64-bit numbers, times and spans as text, is decoded."""
    text = """{"square": {
      "askForShippingAddress": false,
      "appFee": {"amount": 100, "currency": "USD"},
      "serviceCharges": [{"name": "S", "percentage": "5",
                          "calculationPhase": "CALCULATION_PHASE_TOTAL"}],
      "fulfillment": {"type": "TYPE_PICKUP", "asSoonAsPossible": true, "preparationTime": "1800s",
                      "time": "2026-03-01T12:00:00Z"}}}"""
    message = Parse(text, provider_options_pb2.ProviderOptions())
    request = CreateRequest(
        provider="square",
        cart=Cart(),
        provider_options=MessageToDict(message, preserving_proto_field_name=True),
    )
    options = session_options(request)
    assert options.ask_for_shipping_address is False
    assert options.app_fee == Money(100, "USD")
    assert options.service_charges[0].calculation_phase is CalculationPhase.TOTAL
    assert options.fulfillment is not None
    assert options.fulfillment.type is FulfillmentType.PICKUP
    assert options.fulfillment.preparation_time == "1800s"
    assert options.fulfillment.time == "2026-03-01T12:00:00Z"


def test_absent_options_are_all_absent() -> None:
    """A request without options, or with another provider's, says nothing to Square."""
    nothing = CreateRequest(provider="square", cart=Cart())
    foreign = CreateRequest(provider="square", cart=Cart(), provider_options={"dodo": {"x": 1}})
    assert session_options(nothing) == session_options(foreign) == SquareOptions()
