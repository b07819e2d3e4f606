"""Changes from the model to the contract."""

from __future__ import annotations

import re

from checkout.v1.session_change_pb2 import SessionChange
from service.api.convert.watch import types_to_proto
from service.core.model import PaymentState
from tests.architecture.source import ROOT

NAME = re.compile(r'"((?:session|payment)\.[a-z_]+)"')
APART = {"TYPE_UNSPECIFIED", "TYPE_SNAPSHOT"}


def names() -> set[str]:
    """Return every name that the rules have for a change."""
    sources = [ROOT / "service" / "core" / f"{name}.py" for name in ("changes", "chronicle")]
    written = {name for path in sources for name in NAME.findall(path.read_text("utf-8"))}
    return written | {f"payment.{state.value.lower()}" for state in PaymentState}


def test_every_change_has_a_value_and_every_value_a_change() -> None:
    """The enum is the catalogue of what is told."""
    told = {
        SessionChange.Type.Name(number) for name in names() for number in types_to_proto([name])
    }
    assert len(told) == len(names())
    assert told == set(SessionChange.Type.keys()) - APART


def test_what_a_later_release_stored_is_an_update() -> None:
    """A name without a value is left out where another says something, and never leaves a change without any."""
    updated, opened = SessionChange.TYPE_SESSION_UPDATED, SessionChange.TYPE_SESSION_OPENED
    assert types_to_proto(["session.of_tomorrow"]) == [updated]
    assert types_to_proto(["session.of_tomorrow", "session.opened"]) == [opened]
    assert types_to_proto([]) == [updated]
