"""What providers answer stands on the session where the page of fields says, and nowhere where it says nowhere."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format

from checkout.v1 import session_pb2
from service.api.convert.session import session_to_proto
from service.core import lifecycle
from service.core.lifecycle import Answered
from service.core.model import State
from tests.core.builders import session
from tests.proto.fields_page import Row, covers, rows
from tests.proto.test_fields import DOCUMENTED, NAMES
from tests.providers.documented import Documented, answers

pytestmark = pytest.mark.slow

Json = dict[str, Any]
GONE: Any = object()
DAY = timedelta(days=1)


def shown(answer: Documented, provider: str, body: object) -> Json:
    """Return the session that an answer leads to, as callers see it."""
    page = {"provider_session_id": "", "provider_url": "", "payable_until": None}
    begun = session(
        State.OPEN if answer.is_later else State.CREATING,
        provider=NAMES[provider],
        create_time=answer.now,
        expire_time=answer.now + DAY,
        **({} if answer.is_later else page),
    )
    told = answer.read(body)
    if answer.is_later:
        moved = lifecycle.reconciled(begun, told, answer.now)
    else:
        moved = lifecycle.apply(begun, Answered(told, answer.now + DAY), answer.now)
    message = session_pb2.Session()
    session_to_proto(moved, answer.now, None, message)
    found: Json = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def altered(value: object) -> Iterator[object]:
    """Yield nothing, and what else could stand in an answer, readable as what it is in one way at least."""
    yield GONE
    match value:
        case bool():
            yield not value
        case int() | Decimal():
            yield value + 1
        case str():
            yield from (f"{value}9", "EUR", re.sub(r"^[0-9]", "3", value))


def with_changes(body: Json, field: str) -> Iterator[Json]:
    """Yield the answer with a field changed in every way, in each element of a list."""
    path = field.split(".")
    first = next(_holders(body, path), None)
    for other in altered(first[0][first[1]]) if first else ():
        changed = copy.deepcopy(body)
        for holder, name in [*_holders(changed, path)]:
            if other is GONE:
                del holder[name]
            else:
                holder[name] = other
        yield changed


def _holders(value: Any, path: list[str]) -> Iterator[tuple[Json, str]]:  # noqa: ANN401 - JSON
    name, *rest = path[0].removesuffix("[]"), *path[1:]
    if not isinstance(value, dict) or name not in value:
        return
    if not rest:
        yield value, name
        return
    for part in value[name] if path[0].endswith("[]") else (value[name],):
        yield from _holders(part, rest)


def at(value: Any, path: list[str]) -> object:  # noqa: ANN401 - JSON
    """Return what stands at a place, in a list one for each element."""
    if not path or path == ["*"]:
        return value
    name, *rest = path
    inner = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    return [at(part, rest) for part in inner or ()] if name.endswith("[]") else at(inner, rest)


def moved_by(provider: str, field: str) -> set[str]:
    """Return the paths of the session that follow a field of an answer."""
    found: set[str] = set()
    for answer in answers()[provider]:
        before = shown(answer, provider, answer.body)
        for changed in with_changes(answer.body, field):
            # Without its id or with an unreadable amount there is no answer to speak of.
            with suppress(ValueError):
                after = shown(answer, provider, changed)
                found |= {place for place in _all_places(provider) if _differ(place, before, after)}
    return found


def _differ(place: str, before: Json, after: Json) -> bool:
    path = place.split(".")
    return at(before, path) != at(after, path)


def _all_places(provider: str) -> set[str]:
    return {place for row in answer_rows(provider) for place in row.places}


def answer_rows(provider: str) -> list[Row]:
    """Return the rows of what a provider answers."""
    return [row for row in rows() if (row.provider, row.table) == (provider, "Answer")]


def fields_of(provider: str, row: Row) -> list[str]:
    """Return the documented fields that a row means."""
    documented: list[str] = DOCUMENTED[provider]["Answer"]
    return [name for field in row.fields for name in documented if covers(field, name)]


@pytest.mark.parametrize("provider", NAMES)
def test_what_is_answered_stands_where_the_page_says(provider: str) -> None:
    """Another value in the answer is another value in its place, and no place is without such a field."""
    for row in answer_rows(provider):
        if not row.places or row.is_as_given:
            continue
        moved = {field: moved_by(provider, field) for field in fields_of(provider, row)}
        assert [name for name, places in moved.items() if not places & {*row.places}] == []
        assert [place for place in row.places if place not in set().union(*moved.values())] == []


@pytest.mark.parametrize("provider", NAMES)
def test_what_is_not_kept_stands_nowhere(provider: str) -> None:
    """What the page calls not kept changes none of the places that answers have."""
    for row in answer_rows(provider):
        for field in fields_of(provider, row) if row.word == "not kept" else ():
            assert (field, moved_by(provider, field)) == (field, set())


@pytest.mark.parametrize("provider", NAMES)
def test_every_documented_field_is_tried(provider: str) -> None:
    """The answers that are tried lack none that the provider documents."""
    bodies = [answer.body for answer in answers()[provider]]
    assert [
        field
        for field in DOCUMENTED[provider]["Answer"]
        if not any(next(with_changes(body, field), None) for body in bodies)
    ] == []
