"""What a repeated request id is answered, from what is stored of the first."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING

from service.core import errors
from service.core.model import Failure, State
from service.core.record import AttemptOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.record import Record

_RETRY = timedelta(seconds=1)

_BY_REASON: dict[str, type[errors.CheckoutError]] = {
    leaf.reason: leaf
    for leaf in (
        errors.ProviderRejected,
        errors.ProviderCredentialsRejected,
        errors.ProviderRateLimited,
        errors.ProviderUnavailable,
        errors.ProviderOutcomeUnresolved,
    )
}


class Verdict(enum.Enum):
    """What to do with a call whose request id is known."""

    ANSWER = "ANSWER"
    WAIT = "WAIT"
    AGAIN = "AGAIN"
    RECOVER = "RECOVER"
    REFUSE = "REFUSE"


def judge(record: Record, now: datetime) -> Verdict:
    """Decide from a record what a repeat of its request gets."""
    state = record.session.state
    if state in (State.FAILED, State.UNRESOLVED):
        return Verdict.REFUSE
    if state is not State.CREATING:
        return Verdict.ANSWER
    if record.attempt.outcome in (AttemptOutcome.NOT_SENT, AttemptOutcome.UNKNOWN):
        return Verdict.AGAIN
    return Verdict.RECOVER if is_abandoned(record, now) else Verdict.WAIT


def is_abandoned(record: Record, now: datetime) -> bool:
    """Tell whether the process that ran the attempt is gone: it lets no lease run out while it lives."""
    running = record.attempt.outcome is AttemptOutcome.IN_FLIGHT
    return record.session.state is State.CREATING and running and now >= record.attempt.lease_until


def waiting(session_id: str) -> errors.RequestInFlight:
    """Return the error for a session whose creation is still running."""
    return errors.RequestInFlight(
        "the session is being created by another call",
        retry_after=_RETRY,
        session_id=session_id,
    )


def refusal(record: Record) -> errors.CheckoutError:
    """Return the error a failed creation ended with, all its details again."""
    failure = record.session.failure or Failure(reason=errors.ProviderOutcomeUnresolved.reason)
    leaf = _BY_REASON.get(failure.reason, errors.ProviderOutcomeUnresolved)
    return leaf(
        "an earlier call with this request_id ended so",
        metadata=failure.metadata,
        violations=failure.violations,
        session_id=record.session.session_id,
    )
