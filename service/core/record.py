"""What is kept of a session beside what callers see: who asked for it, and how far its creation has come."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct, field

from service.core.model import (
    CreateRequest,
    PaymentStatus,
    Session,
    State,
    UnknownOutcomeStrategy,
)


class AttemptOutcome(enum.Enum):
    """How far the latest attempt to create at the provider has come."""

    IN_FLIGHT = "IN_FLIGHT"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    ANSWERED = "ANSWERED"


class Attempt(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The latest attempt of a session's creation: its number fences out the results of earlier ones.

    `kept` are the provider's ids that the last Step kept: later attempts go on from there.
    """

    number: int = 1
    outcome: AttemptOutcome = AttemptOutcome.IN_FLIGHT
    strategy: UnknownOutcomeStrategy
    lease_until: datetime
    kept: dict[str, str] = field(default_factory=dict)


class RequestKey(Struct, frozen=True):
    """The caller's configured name and request id, unique together."""

    caller: str
    request_id: str


class Prepared(Struct, frozen=True):
    """A request and the exact body made of it, if any: kept to ask or to look for a lost answer. Personal."""

    request: CreateRequest
    body: bytes


class Record(Struct, frozen=True, kw_only=True):
    """What the store keeps of a session."""

    session: Session
    attempt: Attempt
    key: RequestKey | None = None
    fingerprint: bytes = b""
    prepared: Prepared | None = None


def due_time(record: Record) -> datetime | None:
    """Return when the passing of time alone calls for work on a session; None where it never does."""
    session, attempt = record.session, record.attempt
    if session.state is State.CREATING and attempt.outcome is AttemptOutcome.IN_FLIGHT:
        return min(session.expire_time, attempt.lease_until)
    if session.state is State.OPEN and session.payment_status is PaymentStatus.PROCESSING:
        return None
    if session.state in (State.CREATING, State.OPEN):
        return session.expire_time
    return session.closing_time
