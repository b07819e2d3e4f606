"""Where a session may go: one table of state and event, and the only function that moves one.

Rows are states, columns events; `-` stays. `judge` completes the session when the payment was made, or the
mandate authorised, in time; later it ends the session, the payment marked late.

           CREATED REFUSED GIVEN_UP UNRESOLVED DUE      EXPIRE   PROCESSING PARTIAL PAID  DECLINED AUTHORISED
CREATING   OPEN    FAILED  FAILED   UNRESOLVED FAILED   EXPIRED  OPEN       OPEN    judge OPEN     judge
OPEN       -       -       -        -          EXPIRED* EXPIRED* -          -       judge -        judge
COMPLETED  -       -       -        -          -        refused  -          -       -     -        -
EXPIRED    -       -       -        -          -        -        -          -       judge -        judge
FAILED     -       -       -        -          -        -        -          -       -     -        -
UNRESOLVED OPEN    -       -        -          -        EXPIRED  OPEN       OPEN    judge OPEN     judge

* not while a payment is PROCESSING: DUE waits for it, EXPIRE is refused.
A refund or a dispute is recorded in every state and moves none.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from service.core import payments
from service.core.errors import PaymentInProgress, SessionCompleted
from service.core.model import (
    Failure,
    PaymentState,
    PaymentStatus,
    SessionWarning,
    State,
)
from service.core.ports import (
    Closing,
    DisputeReport,
    PaymentReport,
    ProviderSession,
    RefundReport,
    Step,
    SubscriptionReport,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.core.model import Payment, Session


class Event(enum.Enum):
    """What can happen to a session's state."""

    CREATED = "CREATED"
    REFUSED = "REFUSED"
    GIVEN_UP = "GIVEN_UP"
    LEFT_UNRESOLVED = "LEFT_UNRESOLVED"
    DUE = "DUE"
    EXPIRE = "EXPIRE"
    PROCESSING = "PROCESSING"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    DECLINED = "DECLINED"
    AUTHORISED = "AUTHORISED"


class Move(enum.Enum):
    """What an event does in a state."""

    STAY = "STAY"
    OPEN = "OPEN"
    JUDGE = "JUDGE"
    FAIL = "FAIL"
    LEAVE_UNRESOLVED = "LEAVE_UNRESOLVED"
    EXPIRE = "EXPIRE"
    EXPIRE_UNLESS_PROCESSING = "EXPIRE_UNLESS_PROCESSING"
    EXPIRE_OR_REFUSE = "EXPIRE_OR_REFUSE"
    REFUSE = "REFUSE"


_UNSETTLED: Mapping[Event, Move] = {
    Event.CREATED: Move.OPEN,
    Event.EXPIRE: Move.EXPIRE,
    Event.PROCESSING: Move.OPEN,
    Event.PARTIALLY_PAID: Move.OPEN,
    Event.PAID: Move.JUDGE,
    Event.DECLINED: Move.OPEN,
    Event.AUTHORISED: Move.JUDGE,
}

TABLE: Mapping[State, Mapping[Event, Move]] = {
    State.CREATING: {
        **_UNSETTLED,
        Event.REFUSED: Move.FAIL,
        Event.GIVEN_UP: Move.FAIL,
        Event.LEFT_UNRESOLVED: Move.LEAVE_UNRESOLVED,
        Event.DUE: Move.FAIL,
    },
    State.OPEN: {
        Event.DUE: Move.EXPIRE_UNLESS_PROCESSING,
        Event.EXPIRE: Move.EXPIRE_OR_REFUSE,
        Event.PAID: Move.JUDGE,
        Event.AUTHORISED: Move.JUDGE,
    },
    State.COMPLETED: {Event.EXPIRE: Move.REFUSE},
    State.EXPIRED: {Event.PAID: Move.JUDGE, Event.AUTHORISED: Move.JUDGE},
    State.FAILED: {},
    State.UNRESOLVED: _UNSETTLED,
}


class Answered(Struct, frozen=True):
    """The provider answered the attempt; its page takes payments until `payable_until`.

    Where the answer is a Step, the page is not known yet, and the session goes on being created.
    """

    answer: ProviderSession
    payable_until: datetime


class Ended(Struct, frozen=True):
    """Creation ended without a session: REFUSED, GIVEN_UP or LEFT_UNRESOLVED."""

    event: Event
    failure: Failure


class Due(Struct, frozen=True):
    """The session's time has run out."""


class ExpireRequested(Struct, frozen=True):
    """Somebody asked to end the session."""


Happening = (
    Answered
    | Ended
    | Due
    | ExpireRequested
    | PaymentReport
    | RefundReport
    | DisputeReport
    | SubscriptionReport
)

ENDED_UNPAID = (State.EXPIRED, State.FAILED)
"""The states in which a provider's page is to be closed where it can be."""

_GIVEN_UP = Failure(reason="PROVIDER_OUTCOME_UNRESOLVED")

_BY_PAYMENT = {
    PaymentState.PROCESSING: Event.PROCESSING,
    PaymentState.PARTIALLY_PAID: Event.PARTIALLY_PAID,
    PaymentState.PAID: Event.PAID,
    PaymentState.FAILED: Event.DECLINED,
    PaymentState.CANCELLED: Event.DECLINED,
}


def apply(session: Session, happening: Happening, now: datetime) -> Session:
    """Return the session after something happened; the same object where nothing changed.

    Raises SessionCompleted or PaymentInProgress where ExpireRequested is refused.
    """
    current = effective(session, now)
    return _changed(session, _fold(current, happening, now), now)


def closed(session: Session, closing: Closing, now: datetime) -> Session:
    """Return the session after its provider was asked to close the page."""
    moved = effective(session, now)
    for report in closing.payments:
        moved = _pay(moved, report, now)
    if closing.authorised:
        moved = _authorise(moved, closing.authorised_time or now)
    if closing.closed:
        moved = structs.replace(moved, link_closed=True, closing_time=None)
    return _changed(session, moved, now)


def _changed(before: Session, after: Session, now: datetime) -> Session:
    is_new = before.state is not after.state or not before.provider_session_id
    if is_new and after.state in ENDED_UNPAID:
        after = _to_close(after, now)
    if after == before:
        return before
    return structs.replace(after, version=before.version + 1, update_time=now)


def _to_close(session: Session, now: datetime) -> Session:
    can_close = session.closable and session.provider_session_id and not session.link_closed
    # A create that fails takes away nothing that was there before it.
    is_kept = session.preexisting and session.state is State.FAILED
    return structs.replace(session, closing_time=now) if can_close and not is_kept else session


def effective(session: Session, now: datetime) -> Session:
    """Return the session as it reads at `now`: overdue and not being paid, it is expired."""
    if session.state is not State.OPEN or now < session.expire_time:
        return session
    if payments.status(session) is PaymentStatus.PROCESSING:
        return session
    return structs.replace(session, state=State.EXPIRED, end_time=session.expire_time)


def in_time(session: Session, moment: datetime) -> bool:
    """Tell whether a payment made at `moment` counts for the session."""
    end = session.end_time or session.expire_time
    grace = timedelta(0) if session.ended_by_request else session.payment_grace
    return moment <= end + grace


def _fold(session: Session, happening: Happening, now: datetime) -> Session:
    match happening:
        case PaymentReport(live=bool(live)) | SubscriptionReport(live=bool(live)) if (
            live is not session.live
        ):
            moved = _other_mode(session, happening, now)
        case PaymentReport():
            moved = _pay(session, happening, now)
        case RefundReport():
            moved = payments.refunded(session, happening)
        case DisputeReport():
            moved = payments.disputed(session, happening, now)
        case SubscriptionReport():
            moved = _subscribe(session, happening, now)
        case Answered():
            moved = _answer(session, happening, now)
        case Ended():
            moved = _end(session, happening, now)
        case Due():
            moved = _move(session, Event.DUE, now)
        case _:
            moved = _move(session, Event.EXPIRE, now)
    return moved


def _other_mode(
    session: Session, report: PaymentReport | SubscriptionReport, now: datetime
) -> Session:
    if not session.provider_session_id and report.live is not None:
        # The create is not answered yet: this is the first word of the mode that the provider chose.
        return _fold(structs.replace(session, live=report.live), report, now)
    mode = "live" if report.live else "test"
    name = report.payment_id if isinstance(report, PaymentReport) else report.subscription_id
    told = SessionWarning("LIVE_MISMATCH", message=f"a {mode} payment was reported: {name}")
    return structs.replace(session, warnings=payments.added(session.warnings, (told,)))


def _end(session: Session, happening: Ended, now: datetime) -> Session:
    failed = structs.replace(session, failure=happening.failure)
    moved = _move(failed, happening.event, now)
    return session if moved is failed else moved


def _answer(session: Session, happening: Answered, now: datetime) -> Session:
    answer = happening.answer
    payable_until = answer.payable_until or happening.payable_until
    known = structs.replace(
        session,
        provider_session_id=answer.provider_session_id,
        provider_url=answer.url,
        payable_until=payable_until,
        # Nobody can pay a page that has ended, whatever was asked for.
        expire_time=min(session.expire_time, payable_until),
        live=session.live if answer.live is None else answer.live,
    )
    if isinstance(answer, Step):
        known = structs.replace(known, preexisting=answer.preexisting)
    else:
        known = _move(known, Event.CREATED, now)
    return read(known, answer, now)


def read(session: Session, answer: ProviderSession, now: datetime) -> Session:
    """Fold in what a provider's answer says beside where its page is."""
    session = structs.replace(
        session,
        collected=payments.merge(session.collected, answer.collected),
        totals=answer.totals or session.totals,
        warnings=payments.added(session.warnings, answer.warnings),
        provider_details={**session.provider_details, **answer.details},
        provider_subscription_id=session.provider_subscription_id or answer.subscription_id,
    )
    for report in answer.payments:
        session = _pay(session, report, now)
    return _authorise(session, answer.authorised_time or now) if answer.authorised else session


def reconciled(session: Session, answer: ProviderSession, now: datetime) -> Session:
    """Return the session after the provider was asked about it."""
    moved = read(effective(session, now), answer, now)
    return structs.replace(moved, reconciled_time=now, version=session.version + 1, update_time=now)


def _subscribe(session: Session, report: SubscriptionReport, now: datetime) -> Session:
    session = structs.replace(
        session,
        provider_subscription_id=session.provider_subscription_id or report.subscription_id,
        collected=payments.merge(session.collected, report.collected),
    )
    return _authorise(session, report.authorised_time or now) if report.authorised else session


def _authorise(session: Session, at: datetime) -> Session:
    if TABLE[session.state].get(Event.AUTHORISED) is not Move.JUDGE:
        return session
    if in_time(session, at):
        known = structs.replace(session, authorised=True)
        return _complete(structs.replace(known, payment_status=payments.status(known)), at)
    late = SessionWarning("LATE_AUTHORISATION", message="authorised after the session had ended")
    return structs.replace(
        session,
        state=State.EXPIRED,
        end_time=session.end_time or session.expire_time,
        failure=None,
        warnings=payments.added(session.warnings, (late,)),
    )


def _pay(session: Session, report: PaymentReport, now: datetime) -> Session:
    recorded = payments.recorded(session, report, now)
    payment = payments.find(recorded, report.payment_id)
    if payment is None or payment == payments.find(session, report.payment_id):
        return effective(recorded, now)
    event = _BY_PAYMENT[payment.status]
    if event is Event.PAID:
        payment = structs.replace(payment, late=not in_time(session, payment.payment_time))
        recorded = payments.replaced(recorded, payment)
    if TABLE[session.state].get(event) is Move.JUDGE:
        return _judge(recorded, payment)
    return effective(_move(recorded, event, now), now)


def _judge(session: Session, payment: Payment) -> Session:
    if not payment.late:
        return _complete(session, payment.payment_time)
    end = session.end_time or session.expire_time
    return structs.replace(session, state=State.EXPIRED, end_time=end, failure=None)


def _complete(session: Session, at: datetime) -> Session:
    # The end that somebody asked for still tells whether a further payment is late.
    end = session.end_time if session.ended_by_request else None
    return structs.replace(
        session, state=State.COMPLETED, complete_time=at, end_time=end, failure=None
    )


def _move(session: Session, event: Event, now: datetime) -> Session:
    move = TABLE[session.state].get(event, Move.STAY)
    processing = payments.status(session) is PaymentStatus.PROCESSING
    change: dict[str, object] = {}
    match move:
        case Move.OPEN:
            change = {"state": State.OPEN, "failure": None}
        case Move.FAIL:
            change = {"state": State.FAILED, "failure": session.failure or _GIVEN_UP}
        case Move.LEAVE_UNRESOLVED:
            change = {"state": State.UNRESOLVED}
        case Move.REFUSE:
            raise SessionCompleted("the session is paid", session_id=session.session_id)
        case Move.EXPIRE_OR_REFUSE if processing:
            raise PaymentInProgress("a payment is being decided", session_id=session.session_id)
        case Move.EXPIRE | Move.EXPIRE_OR_REFUSE:
            change = {
                "state": State.EXPIRED,
                "end_time": now,
                "ended_by_request": True,
                "failure": None,
            }
        case Move.EXPIRE_UNLESS_PROCESSING if not processing:
            change = {"state": State.EXPIRED, "end_time": session.expire_time}
    return structs.replace(session, **change) if change else session
