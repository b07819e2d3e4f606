"""Requests that set one field, and every field there is."""

import types
import typing
from collections.abc import Iterator

import msgspec

from service.core.capability import OURS
from service.core.model import CreateRequest

SAMPLES: dict[object, object] = {str: "x", int: 1, bool: True}


def with_field(base: CreateRequest, path: str, value: object) -> CreateRequest:
    """Return a request with a field, named without indexes, set in its first line where repeated."""
    fields = msgspec.json.decode(msgspec.json.encode(base))
    _put(fields, path.split("."), value)
    return msgspec.convert(fields, CreateRequest)


def leaves() -> Iterator[tuple[str, object]]:
    """Yield the path of every field a caller can set at a provider, with a value of its type."""
    yield from _leaves(CreateRequest, "", OURS)


def _put(fields: dict[str, object], path: list[str], value: object) -> None:
    name, *rest = path
    if not rest:
        fields[name] = value
        return
    is_repeated = name in ("line_items", "add_ons", "discounts", "taxes")
    inner = fields.setdefault(name, [{}] if is_repeated else {})
    first = inner[0] if isinstance(inner, list) else inner
    assert isinstance(first, dict)
    _put(first, rest, value)


def _leaves(
    kind: type[msgspec.Struct], prefix: str, skipped: frozenset[str] = frozenset()
) -> Iterator[tuple[str, object]]:
    for field in msgspec.structs.fields(kind):
        if field.name in skipped:
            continue
        path = f"{prefix}{field.name}"
        inner = _inner(field.type)
        if field.name == "provider_options":
            yield f"{path}.elsewhere", {"x": 1}
        elif inner is not None and {"amount", "currency"} != set(inner.__struct_fields__):
            yield from _leaves(inner, f"{path}.")
        else:
            yield path, _sample(field.type)


def _inner(kind: object) -> type[msgspec.Struct] | None:
    candidates = [kind, *typing.get_args(kind)]
    return next(
        (c for c in candidates if isinstance(c, type) and issubclass(c, msgspec.Struct)), None
    )


def _sample(kind: object) -> object:
    if _inner(kind) is not None:
        return {"amount": 100, "currency": "USD"}
    if typing.get_origin(kind) is tuple:
        return ["x"]
    if typing.get_origin(kind) is types.UnionType:
        kind = next(arg for arg in typing.get_args(kind) if arg is not types.NoneType)
    return SAMPLES[kind]
