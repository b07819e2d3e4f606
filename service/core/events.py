"""What is remembered of a session's life: its changes, the calls made for it, the webhooks about it. Never personal."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from msgspec import Struct

from service.core.model import PaymentStatus, State


class Cause(enum.Enum):
    """What made a session change."""

    CREATE_REQUESTED = "create_requested"
    CREATE_REPEATED = "create_repeated"
    CREATE_ANSWERED = "create_answered"
    ATTEMPT_ABANDONED = "attempt_abandoned"
    EXPIRE_REQUESTED = "expire_requested"
    TIME_PASSED = "time_passed"
    PAGE_CLOSING = "page_closing"
    WEBHOOK = "webhook"
    LISTING = "listing"
    READING = "reading"


class Taking(enum.Enum):
    """What became of a verified webhook event."""

    APPLIED = "applied"
    MATCHED = "matched"
    WITHOUT_EFFECT = "without_effect"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


class Changed(Struct, frozen=True, array_like=True, tag="change"):
    """A new version of the session; without `types` it shows callers nothing new.

    `attempt` is the number of the attempt to create that the session was in.
    """

    time: datetime
    cause: Cause
    state: State
    payment_status: PaymentStatus
    attempt: int
    types: tuple[str, ...] = ()


class Called(Struct, frozen=True, array_like=True, tag="call"):
    """One request to the provider; `attempt` counts the times that the same call was sent.

    `outcome` is "answered", or why no answer came; `status` is 0 without one. The digests are keyed hashes of what
    was sent and what came back: equal ones tell of equal bodies, and nothing else.
    """

    time: datetime
    operation: str
    outcome: str
    latency: timedelta
    attempt: int = 1
    status: int = 0
    provider_request_id: str = ""
    request_digest: str = ""
    answer_digest: str = ""


class Received(Struct, frozen=True, array_like=True, tag="webhook"):
    """A verified webhook event, and why it had no effect where it had none."""

    time: datetime
    taking: Taking
    event_id: str
    event_type: str
    reason: str = ""


Fact = Changed | Called | Received
"""One entry of a timeline. They are kept as arrays: a new field goes to the end, with a default."""


class SessionEvent(Struct, frozen=True, kw_only=True):
    """An entry of a session's timeline; `number` orders the entries of one session, and has gaps."""

    session_id: str
    version: int
    number: int
    fact: Fact


class NumberedEvent(Struct, frozen=True, kw_only=True):
    """A change that callers can see, at its place among those of all sessions."""

    position: int
    session_id: str
    version: int
    time: datetime
    types: tuple[str, ...]
