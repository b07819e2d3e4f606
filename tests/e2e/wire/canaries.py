"""A recognisable value for every field that the contract marks as personal or secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import protovalidate
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import privacy_pb2
from tests.e2e.wire.requests import create_request


class Canary(NamedTuple):
    """A marked field, the value it gets, and whether that value can be mistaken for nothing else."""

    path: tuple[str, ...]
    value: str

    @property
    def is_recognisable(self) -> bool:
        """Whether the value cannot turn up by chance, as a country's code does."""
        return len(self.value) > 2


def request_canaries() -> list[Canary]:
    """Build a valid value for each marked field that a create can carry."""
    validator = protovalidate.Validator()
    return [
        Canary(path, _valid_value(path, number, validator))
        for number, path in enumerate(_marked(pb.CreateSessionRequest.DESCRIPTOR, (), False), 1)
    ]


def carrying(canary: Canary) -> pb.CreateSessionRequest:
    """Build a create whose only marked field is one canary's."""
    request = create_request()
    _put(request, canary.path, canary.value)
    return request


def _marked(
    message: Descriptor, above: tuple[str, ...], is_marked: bool
) -> Iterator[tuple[str, ...]]:
    for field in message.fields:
        mark = field.GetOptions().Extensions[privacy_pb2.privacy]
        marked = is_marked or mark != privacy_pb2.PRIVACY_UNSPECIFIED
        path = (*above, field.name)
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from _marked(field.message_type, path, marked)
        elif marked and field.type == FieldDescriptor.TYPE_STRING:
            yield path


def _valid_value(path: tuple[str, ...], number: int, validator: protovalidate.Validator) -> str:
    name = "".join(part.title() for part in path[-1].split("_"))
    candidates = (
        f"Canary{number:03d}{name}",
        f"canary{number:03d}@leak.example",
        f"+1555{number:07d}",
        f"198.51.100.{number}",
        f"canary-{number:03d}",
        "zu",
        "ZW",
    )
    for value in candidates:
        request = create_request()
        _put(request, path, value)
        wrong = validator.collect_violations(request)
        if not any(_names(found, path) for found in wrong):
            return value
    raise AssertionError(f"no valid value for {'.'.join(path)}")


def _names(found: Any, path: tuple[str, ...]) -> bool:  # noqa: ANN401 - the rules are untyped
    elements = found.proto.field.elements if found.proto.field else ()
    return tuple(element.field_name for element in elements) == path


def _put(message: Message, path: tuple[str, ...], value: str) -> None:
    target: Any = message
    for name in path[:-1]:
        inner = getattr(target, name)
        is_list = target.DESCRIPTOR.fields_by_name[name].is_repeated
        target = (inner[0] if inner else inner.add()) if is_list else inner
    field = target.DESCRIPTOR.fields_by_name[path[-1]]
    if field.is_repeated:
        getattr(target, path[-1]).append(value)
    else:
        setattr(target, path[-1], value)
