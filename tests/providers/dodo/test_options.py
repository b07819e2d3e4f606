"""The options structs against their proto messages."""

import enum
import types
import typing

import msgspec
import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
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

SCALARS = {
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
    FieldDescriptor.CPPTYPE_STRING: str,
}


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


def compare(message: Descriptor, struct: type[msgspec.Struct]) -> None:
    """Hold a struct, and all below it, against a message."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    assert set(fields) == {field.name for field in message.fields}, message.full_name
    for field in message.fields:
        kind = bare(fields[field.name].type)
        default = fields[field.name].default
        if field.message_type is not None:
            assert isinstance(kind, type)
            assert issubclass(kind, msgspec.Struct)
            compare(field.message_type, kind)
        elif field.enum_type is not None:
            compare_enum(field.enum_type, kind)
        else:
            assert kind is SCALARS[field.cpp_type], field.full_name
            assert (default is None) == field.has_presence or field.is_repeated, field.full_name


def compare_enum(values: EnumDescriptor, kind: object) -> None:
    """Hold an enum against its values, of which the zero is never sent."""
    assert isinstance(kind, type)
    assert issubclass(kind, enum.Enum)
    assert {member.value for member in kind} == {
        value.name for value in values.values if value.number
    }


def bare(kind: object) -> object:
    """Return a type without its optionality or repetition."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is tuple:
        return next(arg for arg in typing.get_args(kind) if arg not in (types.NoneType, ...))
    return kind


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
