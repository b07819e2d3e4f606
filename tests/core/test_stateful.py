"""Whatever happens in whatever order, the promises about a session hold."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.core import lifecycle, payments
from service.core.errors import PaymentInProgress, SessionCompleted
from service.core.lifecycle import Answered, Due, Ended, Event, ExpireRequested, Happening
from service.core.model import (
    Failure,
    PaymentState,
    PaymentStatus,
    State,
    UnknownOutcomeStrategy,
)
from service.core.ports import ProviderSession, Step, SubscriptionReport
from tests.core.builders import EXPIRY, NOW, payment, session

LEGAL = {
    State.CREATING: {PaymentStatus.UNPAID},
    State.OPEN: {PaymentStatus.UNPAID, PaymentStatus.PROCESSING, PaymentStatus.PARTIALLY_PAID},
    State.COMPLETED: {PaymentStatus.PAID, PaymentStatus.NO_PAYMENT_REQUIRED},
    State.EXPIRED: set(PaymentStatus) - {PaymentStatus.NO_PAYMENT_REQUIRED},
    State.FAILED: set(PaymentStatus) - {PaymentStatus.NO_PAYMENT_REQUIRED},
    State.UNRESOLVED: set(PaymentStatus),
}
MOMENTS = st.integers(-3600, 3600).map(lambda s: EXPIRY + timedelta(seconds=s))


class Lifecycle(RuleBasedStateMachine):
    """One session, every event, time going forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.session = session(
            State.CREATING, provider_session_id="", provider_url="", closable=True
        )
        self.paid: set[str] = set()

    def happen(self, happening: Happening) -> None:
        before = self.session
        self.session = lifecycle.apply(before, happening, self.now)
        assert self.session.version == before.version + (self.session is not before)
        completed = before.state is State.COMPLETED
        assert not completed or self.session.state is State.COMPLETED

    @rule(step=st.integers(0, 40_000))
    def time_passes(self, step: int) -> None:
        self.now += timedelta(seconds=step)

    @rule()
    def answered(self) -> None:
        answer = ProviderSession(provider_session_id="cks_1", url="https://checkout.example/1")
        self.happen(Answered(answer, EXPIRY))

    @rule()
    def made_in_part(self) -> None:
        step = Step(provider_session_id="cks_1", kept={}, strategy=UnknownOutcomeStrategy.RECREATE)
        self.happen(Answered(step, EXPIRY))

    @rule(event=st.sampled_from([Event.REFUSED, Event.GIVEN_UP, Event.LEFT_UNRESOLVED]))
    def ended(self, event: Event) -> None:
        self.happen(Ended(event, Failure(reason="PROVIDER_REJECTED")))

    @rule()
    def due(self) -> None:
        if self.now >= self.session.expire_time:
            self.happen(Due())

    @rule()
    def expire_requested(self) -> None:
        try:
            self.happen(ExpireRequested())
        except SessionCompleted:
            assert self.session.state is State.COMPLETED
        except PaymentInProgress:
            assert self.session.payment_status is PaymentStatus.PROCESSING

    @rule(
        status=st.sampled_from(PaymentState),
        number=st.integers(1, 3),
        at=st.none() | MOMENTS,
    )
    def payment_reported(self, status: PaymentState, number: int, at: datetime | None) -> None:
        self.happen(payment(status, at=at, payment_id=f"pay_{number}"))
        if status is PaymentState.PAID:
            self.paid.add(f"pay_{number}")

    @rule(at=MOMENTS)
    def authorised(self, at: datetime) -> None:
        report = SubscriptionReport(subscription_id="s", authorised=True, authorised_time=at)
        self.happen(report)

    @invariant()
    def pair_is_legal(self) -> None:
        assert self.session.payment_status in LEGAL[self.session.state]
        assert self.session.payment_status is payments.status(self.session)

    @invariant()
    def no_money_is_lost_from_sight(self) -> None:
        taken = {
            p.provider_payment_id for p in self.session.payments if p.status is PaymentState.PAID
        }
        assert self.paid == taken

    @invariant()
    def late_is_said_of_late_payments_only(self) -> None:
        for known in self.session.payments:
            if known.late:
                assert self.session.state is not State.OPEN
                assert known.status is PaymentState.PAID

    @invariant()
    def what_an_ended_session_left_is_closed(self) -> None:
        is_left = self.session.provider_session_id and not self.session.link_closed
        if self.session.state in lifecycle.ENDED_UNPAID and is_left:
            assert self.session.closing_time

    @invariant()
    def an_ended_session_has_an_end(self) -> None:
        is_kept = self.session.state is State.COMPLETED and self.session.ended_by_request
        has_end = self.session.state is State.EXPIRED or is_kept
        assert has_end == (self.session.end_time is not None)


TestLifecycle = Lifecycle.TestCase
