"""Timelines from the model to the contract."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from checkout.v1.session_event_pb2 import SessionEvent as Message
from service.api.convert.events import events_to_proto
from service.core.events import Called, Cause, Changed, Fact, Received, SessionEvent, Taking
from service.core.history import EventPage
from service.core.model import PaymentStatus, State
from tests.architecture.source import ROOT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = ROOT / "docs" / "timeline.md"


def converted(fact: Fact) -> Message:
    """Return a fact as an answer tells it."""
    event = SessionEvent(session_id="cs_1", version=3, number=7, fact=fact)
    (message,) = events_to_proto(EventPage((event,), "")).session_events
    assert (message.version, message.event_time.ToDatetime(UTC)) == (3, NOW)
    return message


def test_a_call_is_told_whole() -> None:
    """Every field of a call has its place."""
    call = Called(
        NOW,
        "create",
        "answered",
        timedelta(microseconds=12_345),
        attempt=2,
        status=201,
        provider_request_id="req_1",
        request_digest="aa",
        answer_digest="bb",
    )
    told = converted(call).provider_call
    assert told.latency.ToTimedelta() == timedelta(microseconds=12_345)
    assert (told.operation, told.outcome, told.status) == ("create", "answered", 201)
    assert (told.attempt, told.provider_request_id) == (2, "req_1")
    assert (told.request_digest, told.answer_digest) == ("aa", "bb")


def test_every_cause_and_outcome_has_a_value_and_a_line() -> None:
    """The contract has what the rules can say and nothing else, and the documentation explains each."""
    causes = {
        Message.Change.Cause.Name(
            converted(Changed(NOW, cause, State.OPEN, PaymentStatus.UNPAID, attempt=1)).change.cause
        )
        for cause in Cause
    }
    outcomes = {
        Message.Webhook.Outcome.Name(converted(Received(NOW, taking, "e", "t")).webhook.outcome)
        for taking in Taking
    }
    assert causes == set(Message.Change.Cause.keys()) - {"CAUSE_UNSPECIFIED"}
    assert outcomes == set(Message.Webhook.Outcome.keys()) - {"OUTCOME_UNSPECIFIED"}
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert explained == {cause.name for cause in Cause} | {taking.name for taking in Taking}


def test_a_change_that_shows_nothing_has_no_types() -> None:
    """Callers are not told of an update where there was none for them."""
    silent = Changed(NOW, Cause.CREATE_ANSWERED, State.CREATING, PaymentStatus.UNPAID, attempt=1)
    assert list(converted(silent).change.types) == []
