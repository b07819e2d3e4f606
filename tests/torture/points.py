"""The points between two steps at which a process can be killed, and the steps they lie between.

Every commit has a point before and one after it; `docs/crash-matrix.md` says what each leaves behind.
"""

from __future__ import annotations

from service.core.model import State
from service.core.record import AttemptOutcome, Record

POINTS = (
    "intent.before",
    "intent.after",
    "create.sent",
    "result.before",
    "result.after",
    "refusal.before",
    "refusal.after",
    "loss.before",
    "loss.after",
    "unsent.before",
    "unsent.after",
    "takeover.before",
    "takeover.after",
    "again.before",
    "again.after",
    "webhook.before",
    "webhook.after",
    "expire.before",
    "expire.after",
    "sweep.before",
    "sweep.after",
)

_OUTCOMES = {
    AttemptOutcome.NOT_SENT: "unsent",
    AttemptOutcome.UNKNOWN: "loss",
    AttemptOutcome.ANSWERED: "result",
}


def step_of(before: Record, after: Record, *, is_event: bool) -> str:
    """Name the step that a commit takes: what it changes of a record tells."""
    if is_event:
        return "webhook"
    was, now = before.session, after.session
    if after.attempt.number != before.attempt.number:
        return "takeover" if before.attempt.outcome is AttemptOutcome.IN_FLIGHT else "again"
    if after.attempt.outcome is not before.attempt.outcome:
        is_refused = now.state is State.FAILED and after.attempt.outcome is AttemptOutcome.ANSWERED
        return "refusal" if is_refused else _OUTCOMES[after.attempt.outcome]
    if now.state is not was.state:
        return "expire" if now.ended_by_request else "sweep"
    return "closing"
