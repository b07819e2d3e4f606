"""Checks a JSON body against the limits that Square publishes, with a code and a path for each mistake."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from service.sandbox.square.errors import Problem, problem

JsonObject = dict[str, Any]

MAX_INT64 = 2**63 - 1
MAX_ENTRIES = 10
MAX_KEY = 60
MAX_VALUE = 255
KEY = re.compile(r"[a-zA-Z0-9_-]+")


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A string; `code` names the refusal of one that does not match the pattern."""

    most: int | None = None
    least: int = 0
    pattern: str | None = None
    code: str = "VALUE_REGEX_MISMATCH"
    choices: frozenset[str] | None = None


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """An integer."""

    low: int = 0
    high: int = MAX_INT64


class Flag(msgspec.Struct, frozen=True):
    """A boolean."""


class Labels(msgspec.Struct, frozen=True):
    """A map of metadata."""


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """An array."""

    of: "Shape"
    most: int | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """An object: what it takes, what it needs, and what only Square may write."""

    takes: Mapping[str, "Shape"]
    needs: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()


Shape = Text | Whole | Flag | Labels | Many | Fields


def pruned(value: object) -> object:
    """Leave out every null: Square takes null for absent."""
    if isinstance(value, dict):
        return {key: pruned(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [pruned(part) for part in value]
    return value


def problems(shape: Shape, value: object, path: str = "") -> Iterator[Problem]:
    """Yield what is wrong with a value that has no nulls."""
    match shape:
        case Text():
            yield from _text(shape, value, path)
        case Whole():
            yield from _whole(shape, value, path)
        case Flag():
            if not isinstance(value, bool):
                yield problem("EXPECTED_BOOLEAN", "Expected a boolean.", path)
        case Labels():
            yield from _labels(value, path)
        case Many():
            yield from _many(shape, value, path)
        case Fields():
            yield from _fields(shape, value, path)


def _text(shape: Text, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield problem("EXPECTED_STRING", "Expected a string value.", path)
    elif shape.choices is not None and value not in shape.choices:
        yield problem("INVALID_ENUM_VALUE", f"`{value[:80]}` is not a valid enum value.", path)
    elif shape.most is not None and len(value) > shape.most:
        detail = f"Field must not be greater than {shape.most} in length."
        yield problem("VALUE_TOO_LONG", detail, path)
    elif not value and shape.least:
        yield problem("VALUE_EMPTY", "Field must not be blank.", path)
    elif shape.pattern is not None and not re.fullmatch(shape.pattern, value):
        yield problem(shape.code, "The value has not the expected form.", path)


def _whole(shape: Whole, value: object, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield problem("EXPECTED_INTEGER", "Expected an integer value.", path)
    elif value < shape.low:
        yield problem("VALUE_TOO_LOW", f"Field must not be less than {shape.low}.", path)
    elif value > shape.high:
        yield problem("VALUE_TOO_HIGH", f"Field must not be greater than {shape.high}.", path)


def _labels(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield problem("EXPECTED_MAP", "Expected a map.", path)
        return
    if len(value) > MAX_ENTRIES:
        detail = f"Map must not have more than {MAX_ENTRIES} entries."
        yield problem("TOO_MANY_MAP_ENTRIES", detail, path)
    for key, text in value.items():
        if not key:
            yield problem("MAP_KEY_LENGTH_TOO_SHORT", "Map key must not be empty.", path)
        elif len(key) > MAX_KEY:
            detail = f"Map key must not be greater than {MAX_KEY} in length."
            yield problem("MAP_KEY_LENGTH_TOO_LONG", detail, path)
        elif not KEY.fullmatch(key):
            yield problem("VALUE_REGEX_MISMATCH", "Map key has a forbidden character.", path)
        yield from _text(Text(most=MAX_VALUE), text, f"{path}.{key}")


def _many(shape: Many, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield problem("EXPECTED_ARRAY", "Expected an array.", path)
        return
    if shape.most is not None and len(value) > shape.most:
        detail = f"Array must not have more than {shape.most} entries."
        yield problem("ARRAY_LENGTH_TOO_LONG", detail, path)
    for index, part in enumerate(value):
        yield from problems(shape.of, part, f"{path}[{index}]")


def _fields(shape: Fields, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield problem("EXPECTED_OBJECT", "Expected an object.", path)
        return
    prefix = f"{path}." if path else ""
    for name in shape.needs:
        if name not in value:
            yield problem(
                "MISSING_REQUIRED_PARAMETER", "Missing required parameter.", prefix + name
            )
    for name, part in value.items():
        if name in shape.read_only:
            yield problem("BAD_REQUEST", "Read-only field must not be set.", prefix + name)
        elif name not in shape.takes:
            detail = "The body has a parameter that is not recognized."
            yield problem("UNKNOWN_BODY_PARAMETER", detail, prefix + name)
        else:
            yield from problems(shape.takes[name], part, prefix + name)
