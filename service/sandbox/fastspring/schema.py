"""Checks a JSON body against the documented types and limits, with a code and a path for each mistake."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from service.sandbox.currency import exponent
from service.sandbox.fastspring.enums import CURRENCIES, LANGUAGES
from service.sandbox.fastspring.errors import Problem, problem

JsonObject = dict[str, Any]

LONGEST_TEXT = 512


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A string."""

    most: int | None = None
    pattern: str | None = None
    code: str = "INVALID_FORMAT"
    choices: frozenset[str] | None = None


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """An integer."""

    low: int = 0


class Flag(msgspec.Struct, frozen=True):
    """A boolean."""


class Labels(msgspec.Struct, frozen=True):
    """A map of text to text."""


class Texts(msgspec.Struct, frozen=True):
    """A map of languages to texts."""


class Prices(msgspec.Struct, frozen=True):
    """A map of currencies to numbers in major units."""


class Many(msgspec.Struct, frozen=True):
    """An array."""

    of: "Shape"


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """An object: what it takes and what it needs."""

    takes: Mapping[str, "Shape"]
    needs: tuple[str, ...] = ()


Shape = Text | Whole | Flag | Labels | Texts | Prices | Many | Fields


def problems(shape: Shape, value: object, path: str = "") -> Iterator[Problem]:
    """Yield what is wrong with a value."""
    match shape:
        case Text():
            yield from _text(shape, value, path)
        case Whole():
            if isinstance(value, bool) or not isinstance(value, int) or value < shape.low:
                text = f"must be a whole number of at least {shape.low}"
                yield problem("INVALID_NUMBER", path, text, value)
        case Flag():
            if not isinstance(value, bool):
                yield problem("INVALID_BOOLEAN", path, "must be true or false", value)
        case Labels() | Texts() | Prices():
            yield from _map(shape, value, path)
        case Many():
            yield from _many(shape, value, path)
        case Fields():
            yield from _fields(shape, value, path)


def _text(shape: Text, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield problem("INVALID_TYPE", path, "must be a string", value)
    elif shape.choices is not None and value not in shape.choices:
        yield problem("INVALID_VALUE", path, "is none of the known values", value)
    elif shape.most is not None and len(value) > shape.most:
        yield problem("INVALID_LENGTH", path, f"must have at most {shape.most} characters", value)
    elif shape.pattern is not None and not re.fullmatch(shape.pattern, value):
        yield problem(shape.code, path, "has not the expected form", value)


def _map(shape: Labels | Texts | Prices, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield problem("INVALID_TYPE", path, "must be an object", value)
        return
    for key, part in value.items():
        where = f"{path}.{key}"
        match shape:
            case Prices():
                yield from _price(key, part, where)
            case Texts() if key not in LANGUAGES:
                yield problem("INVALID_LOCALE", where, "is no known language", key)
            case _:
                yield from _text(Text(most=LONGEST_TEXT), part, where)


def _price(currency: str, value: object, path: str) -> Iterator[Problem]:
    if currency not in CURRENCIES:
        yield problem("INVALID_CURRENCY", path, "is no known currency", currency)
    elif isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        yield problem("INVALID_PRICE", path, "must be a number of at least 0", value)
    elif Decimal(value).scaleb(exponent(currency)) % 1:
        yield problem("INVALID_PRICE", path, "has more decimals than its currency", value)


def _many(shape: Many, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield problem("INVALID_TYPE", path, "must be an array", value)
        return
    for index, part in enumerate(value):
        yield from problems(shape.of, part, f"{path}[{index}]")


def _fields(shape: Fields, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield problem("INVALID_TYPE", path, "must be an object", value)
        return
    prefix = f"{path}." if path else ""
    for name in shape.needs:
        if name not in value:
            yield problem("REQUIRED_FIELD", prefix + name, "is required")
    for name, part in value.items():
        if name not in shape.takes:
            yield problem("UNKNOWN_FIELD", prefix + name, "is no field of a session")
        else:
            yield from problems(shape.takes[name], part, prefix + name)
