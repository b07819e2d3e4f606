"""Structs held against proto messages."""

import enum
import types
import typing

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

SCALARS = {
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
    FieldDescriptor.CPPTYPE_STRING: str,
}
# What protobuf's JSON writes as text.
TEXTS = {"google.protobuf.Timestamp", "google.protobuf.Duration"}


def compare(message: Descriptor, struct: type[msgspec.Struct]) -> None:
    """Hold a struct, and all below it, against a message."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    assert set(fields) == {field.name for field in message.fields}, message.full_name
    for field in message.fields:
        kind = bare(fields[field.name].type)
        default = fields[field.name].default
        if field.message_type is not None and field.message_type.full_name in TEXTS:
            assert kind is str, field.full_name
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            assert typing.get_origin(kind) is dict, field.full_name
        elif field.message_type is not None:
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
