"""Times and durations between the contract and the model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from service.core.errors import InvalidRequest
from service.core.model import Violation

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = 1_000_000_000
_DAY = 86_400


def moment_if_set(message: Message, name: str) -> datetime | None:
    """Return the time in a field of a message, nothing where it is not set; refuse what is no time."""
    if not message.HasField(name):
        return None
    try:
        return _EPOCH + _span(getattr(message, name))
    except OverflowError:
        raise _refusal(name, "must be a time between the years 1 and 9999") from None


def moment_to_proto(moment: datetime, message: Timestamp) -> None:
    """Write a time into a message that is part of another."""
    since = moment - _EPOCH
    message.seconds = since.days * _DAY + since.seconds
    message.nanos = since.microseconds * 1000


def span_from_proto(message: Duration, path: str) -> timedelta:
    """Return the duration a field holds; refuse by `path` what is none."""
    try:
        return _span(message)
    except OverflowError:
        raise _refusal(path, "must be a duration of at most 10,000 years") from None


def span_to_proto(span: timedelta, message: Duration) -> None:
    """Write a duration that is not negative into a message that is part of another."""
    message.seconds = span.days * _DAY + span.seconds
    message.nanos = span.microseconds * 1000


def _span(message: Timestamp | Duration) -> timedelta:
    if not -_NANOS < message.nanos < _NANOS:
        raise OverflowError
    return timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


def _refusal(path: str, description: str) -> InvalidRequest:
    return InvalidRequest(
        "the request breaks the contract", violations=(Violation(path, description),)
    )
