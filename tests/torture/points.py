"""The points between two steps at which a process can be killed, and the steps they lie between.

Every commit has a point before and one after it; `docs/crash-matrix.md` says what each leaves behind.
"""

from __future__ import annotations

from service.core.model import Session, State, UnknownOutcomeStrategy
from service.core.record import AttemptOutcome, Record

ANYWHERE = (
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
"""Those that every provider has."""

REPLAYING = (
    "replay.before",
    "replay.after",
    "replay.sent",
    "replayed.before",
    "replayed.after",
)
"""Those of a provider whose lost answers are asked for again by the stored body."""

CLOSING = (
    "claim.before",
    "claim.after",
    "cancel.sent",
    "retrieve_order.sent",
    "closed.before",
    "closed.after",
)
"""Those of a provider where pages are closed, and looked at afterwards."""

SEARCHING = (
    "search.before",
    "search.after",
    "search.sent",
    "found.before",
    "found.after",
)
"""Those of a provider that is looked through for what a lost answer has made."""

STEPPING = (
    "step.before",
    "step.after",
    "checkout.sent",
)
"""Those of a provider that makes a page in several calls, each id stored before the next."""

LEARNING = (
    "unmatched.before",
    "unmatched.after",
    "read.before",
    "read.after",
    "mark.before",
    "mark.after",
)
"""Those of money that nobody waits for, that somebody asks about, and that is looked for."""

POINTS = ANYWHERE + REPLAYING + CLOSING + STEPPING + SEARCHING + LEARNING

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
        return _taken(before, after)
    if after.attempt.outcome is not before.attempt.outcome:
        is_refused = now.state is State.FAILED and after.attempt.outcome is AttemptOutcome.ANSWERED
        is_found = after.attempt.kept != before.attempt.kept
        return "found" if is_found else "refusal" if is_refused else _come(after)
    if after.attempt.kept != before.attempt.kept:
        return "step"
    return _changed(was, now)


def _changed(was: Session, now: Session) -> str:
    if now.reconciled_time != was.reconciled_time:
        return "read"
    if now.state is not was.state:
        return "expire" if now.ended_by_request else "sweep"
    return "closed" if now.link_closed else "claim"


def _taken(before: Record, after: Record) -> str:
    if before.attempt.outcome is not AttemptOutcome.IN_FLIGHT:
        return "again"
    if after.attempt.outcome is not AttemptOutcome.IN_FLIGHT:
        return "takeover"
    is_search = after.attempt.strategy is UnknownOutcomeStrategy.SEARCH
    return "search" if is_search else "replay"


def _come(after: Record) -> str:
    attempt = after.attempt
    is_repeated = attempt.number > 1 and attempt.strategy is UnknownOutcomeStrategy.REPLAY
    is_answered = attempt.outcome is AttemptOutcome.ANSWERED
    return "replayed" if is_repeated and is_answered else _OUTCOMES[attempt.outcome]
