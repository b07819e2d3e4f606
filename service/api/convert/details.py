"""What only a provider knows of a session, from plain values to the messages of the contract."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from checkout.v1 import privacy_pb2
from service.api.convert.times import moment_to_proto

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    Value = Any
    Write = Callable[[Message, str, Value], None]

_INTEGERS = frozenset(
    {
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_UINT64,
    }
)
_PLAIN = frozenset({FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_STRING})


class _Field(NamedTuple):
    """How a field is written, or nothing for messages of ours; and whether customers pay at the address in it."""

    write: Write | None
    is_repeated: bool
    is_page: bool


def details_to_proto(
    values: Mapping[str, Value], message: Message, *, with_pages: bool = True
) -> None:
    """Write values into a message by the names of its fields, as JSON would name them, only faster.

    What the message has no field for is left out: the store may hold what a later release wrote.
    """
    fields = _fields(message.DESCRIPTOR)
    for name, value in values.items():
        field = fields.get(name)
        if field is None or value is None or (field.is_page and not with_pages):
            continue
        if field.write is not None:
            field.write(message, name, value)
        elif field.is_repeated:
            for one in value:
                details_to_proto(one, getattr(message, name).add(), with_pages=with_pages)
        else:
            inner: Message = getattr(message, name)
            inner.SetInParent()
            details_to_proto(value, inner, with_pages=with_pages)


@cache
def _fields(descriptor: Descriptor) -> Mapping[str, _Field]:
    return {
        field.name: _Field(_writer(field), bool(field.is_repeated), _is_page(field))
        for field in descriptor.fields
    }


def _writer(field: FieldDescriptor) -> Write | None:
    inner = field.message_type
    if inner is not None:
        return _message_writer(inner, field)
    if field.is_repeated:
        return _write_texts if field.type == FieldDescriptor.TYPE_STRING else _through_json
    if field.type in _INTEGERS:
        return _write_integer
    return _write_plain if field.type in _PLAIN else _through_json


def _message_writer(inner: Descriptor, field: FieldDescriptor) -> Write | None:
    if inner.full_name == "checkout.v1.Money" and not field.is_repeated:
        return _write_money
    if inner.file.package.startswith("checkout.") and not inner.GetOptions().map_entry:
        return None
    is_time = inner.full_name == "google.protobuf.Timestamp" and not field.is_repeated
    return _write_time if is_time else _through_json


def _is_page(field: FieldDescriptor) -> bool:
    privacy = field.GetOptions().Extensions[privacy_pb2.privacy]
    return field.name.endswith("url") and bool(privacy == privacy_pb2.PRIVACY_SECRET)


def _write_plain(message: Message, name: str, value: Value) -> None:
    setattr(message, name, value)


def _write_integer(message: Message, name: str, value: Value) -> None:
    setattr(message, name, int(value))


def _write_money(message: Message, name: str, value: Value) -> None:
    # Details may hold dozens of amounts.
    inner: Value = getattr(message, name)
    inner.SetInParent()
    inner.amount = int(value.get("amount") or 0)
    inner.currency = value.get("currency") or ""


def _write_time(message: Message, name: str, value: Value) -> None:
    moment_to_proto(datetime.fromisoformat(value), getattr(message, name))


def _write_texts(message: Message, name: str, value: Value) -> None:
    getattr(message, name).extend(value)


def _through_json(message: Message, name: str, value: Value) -> None:
    json_format.ParseDict({name: value}, message, ignore_unknown_fields=True)
