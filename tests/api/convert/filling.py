"""Messages with every field set, and the fields a message lacks."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

WELL_KNOWN = "google.protobuf."


def fill(message: Message, name: str = "value") -> None:
    """Set every field of a message and of the messages in it, each text to a value of its own."""
    for field in message.DESCRIPTOR.fields:
        path = f"{name}.{field.name}"
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)["key"] = path
        elif field.is_repeated and field.message_type:
            fill(getattr(message, field.name).add(), path)
        elif field.is_repeated:
            getattr(message, field.name).append(_scalar(field.cpp_type, path))
        elif field.message_type and field.message_type.full_name.startswith(WELL_KNOWN):
            _fill_well_known(getattr(message, field.name))
        elif field.message_type:
            fill(getattr(message, field.name), path)
        else:
            setattr(message, field.name, _scalar(field.cpp_type, path))


def _scalar(cpp_type: int, path: str) -> object:
    if cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return path
    if cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    return 1 if cpp_type == FieldDescriptor.CPPTYPE_ENUM else 7


def _fill_well_known(message: Timestamp | Duration) -> None:
    message.seconds = 1_900_000_000


def lacking(message: Message, name: str = "") -> Iterator[str]:
    """Yield the path of every field that is not set, through the messages that are."""
    present = {field.name: value for field, value in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        path = f"{name}.{field.name}".lstrip(".")
        value = present.get(field.name)
        if value is None:
            yield path
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            if field.message_type.full_name.startswith(WELL_KNOWN):
                continue
            for part in value if field.is_repeated else [value]:
                yield from lacking(part, path)
