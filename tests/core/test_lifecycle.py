"""Every cell of the table of states and events, and the edges of time."""

import itertools
from datetime import timedelta

import pytest
from msgspec import structs

from service.core import lifecycle, payments
from service.core.errors import PaymentInProgress, SessionCompleted
from service.core.lifecycle import Answered, Due, Ended, Event, ExpireRequested, Happening
from service.core.model import (
    AmountBasis,
    AmountCheck,
    DisputeStatus,
    Failure,
    Money,
    PaymentState,
    PaymentStatus,
    ProviderLink,
    Session,
    SessionWarning,
    State,
    Totals,
    TotalsSource,
)
from service.core.page import checkout_url, provider_link
from service.core.ports import (
    Closing,
    DisputeReport,
    ProviderSession,
    RefundReport,
    SubscriptionReport,
)
from tests.core.builders import EXPIRY, NOW, SECOND, payment, session

HAPPENINGS: dict[Event, Happening] = {
    Event.CREATED: Answered(
        ProviderSession(provider_session_id="cks_1", url="https://checkout.example/cks_1"), EXPIRY
    ),
    Event.REFUSED: Ended(Event.REFUSED, Failure(reason="PROVIDER_REJECTED")),
    Event.GIVEN_UP: Ended(Event.GIVEN_UP, Failure(reason="PROVIDER_UNAVAILABLE")),
    Event.LEFT_UNRESOLVED: Ended(
        Event.LEFT_UNRESOLVED, Failure(reason="PROVIDER_OUTCOME_UNRESOLVED")
    ),
    Event.DUE: Due(),
    Event.EXPIRE: ExpireRequested(),
    Event.PROCESSING: payment(PaymentState.PROCESSING),
    Event.PARTIALLY_PAID: payment(PaymentState.PARTIALLY_PAID),
    Event.PAID: payment(PaymentState.PAID),
    Event.DECLINED: payment(PaymentState.FAILED),
    Event.AUTHORISED: SubscriptionReport(
        subscription_id="sub_1", authorised=True, authorised_time=NOW
    ),
}

# P for payable: an O reads like a zero.
C, P, D, X, F, U = (
    State.CREATING,
    State.OPEN,
    State.COMPLETED,
    State.EXPIRED,
    State.FAILED,
    State.UNRESOLVED,
)
# Columns in the order of Event; payments and authorisations are in time, nothing is being processed.
GRID = {
    C: (P, F, F, U, F, X, P, P, D, P, D),
    P: (P, P, P, P, X, X, P, P, D, P, D),
    D: (D, D, D, D, D, None, D, D, D, D, D),
    X: (X, X, X, X, X, X, X, X, D, X, D),
    F: (F, F, F, F, F, F, F, F, F, F, F),
    U: (P, U, U, U, U, X, P, P, D, P, D),
}
CELLS = [
    (state, event, expected)
    for state, row in GRID.items()
    for event, expected in zip(Event, row, strict=True)
]


@pytest.mark.parametrize(
    ("state", "event", "expected"), CELLS, ids=[f"{s.value}-{e.value}" for s, e, _ in CELLS]
)
def test_cell(state: State, event: Event, expected: State | None) -> None:
    """Each event leads each state where the table says, or is refused."""
    before = session(state)
    if expected is None:
        with pytest.raises(SessionCompleted):
            lifecycle.apply(before, HAPPENINGS[event], NOW)
        return
    after = lifecycle.apply(before, HAPPENINGS[event], NOW)
    assert expected is after.state


def test_table_names_no_state_or_event_twice() -> None:
    """The published drawing and the table agree cell by cell."""
    text = (lifecycle.__doc__ or "").splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in text if line.split(" ")[0].isupper()}
    move = {"-": None, "refused": "REFUSE", "judge": "JUDGE", "OPEN": "OPEN", "FAILED": "FAIL"}
    move |= {"UNRESOLVED": "LEAVE_UNRESOLVED", "EXPIRED": "EXPIRE"}
    for state, event in itertools.product(State, Event):
        drawn = rows[state.value][list(Event).index(event)]
        found = lifecycle.TABLE[state].get(event)
        if drawn == "EXPIRED*":
            assert found is not None
            assert found.value.startswith("EXPIRE_")
        else:
            assert move[drawn] == (found.value if found else None)


@pytest.mark.parametrize(
    ("statuses", "allowed"),
    [
        (C, {PaymentStatus.UNPAID}),
        (P, {PaymentStatus.UNPAID, PaymentStatus.PROCESSING, PaymentStatus.PARTIALLY_PAID}),
        (D, {PaymentStatus.PAID, PaymentStatus.NO_PAYMENT_REQUIRED}),
    ],
)
def test_reached_pairs_are_legal(statuses: State, allowed: set[PaymentStatus]) -> None:
    """No event brings a state together with a payment status that the contract excludes."""
    for state, happening in itertools.product((C, P, U), HAPPENINGS.values()):
        after = lifecycle.apply(session(state), happening, NOW)
        if after.state is statuses:
            assert after.payment_status in allowed


def test_reads_as_expired_the_moment_it_is_due() -> None:
    """An open session is open until its expiry and expired from that instant on."""
    made = session()
    assert lifecycle.effective(made, EXPIRY - timedelta(microseconds=1)).state is State.OPEN
    expired = lifecycle.effective(made, EXPIRY)
    assert (expired.state, expired.end_time) == (State.EXPIRED, EXPIRY)


def test_processing_keeps_an_overdue_session_open_until_decided() -> None:
    """A payment being decided at the end holds the session; its approval completes it, judged by its time."""
    made = lifecycle.apply(session(), payment(PaymentState.PROCESSING, at=EXPIRY - SECOND), NOW)
    assert made == lifecycle.effective(made, EXPIRY + SECOND)
    assert made == lifecycle.apply(made, Due(), EXPIRY + SECOND)
    paid = payment(PaymentState.PAID, at=EXPIRY - SECOND)
    assert lifecycle.apply(made, paid, EXPIRY + timedelta(days=1)).state is State.COMPLETED


def test_a_decline_after_the_end_lets_the_held_session_expire() -> None:
    """When the payment that held an overdue session fails, the session has expired at its own time."""
    held = lifecycle.apply(session(), payment(PaymentState.PROCESSING), NOW)
    after = lifecycle.apply(held, payment(PaymentState.FAILED), EXPIRY + SECOND)
    assert (after.state, after.end_time) == (State.EXPIRED, EXPIRY)


@pytest.mark.parametrize(
    ("grace", "by_request", "delay", "expected"),
    [
        (0, False, 0, State.COMPLETED),
        (0, False, 1, State.EXPIRED),
        (300, False, 300, State.COMPLETED),
        (300, False, 301, State.EXPIRED),
        (300, True, 0, State.COMPLETED),
        (300, True, 1, State.EXPIRED),
    ],
)
def test_payment_time_decides_to_the_second(
    grace: int, by_request: bool, delay: int, expected: State
) -> None:
    """A payment counts up to the end plus grace, and grace is void once somebody ended the session."""
    ended = session(X, payment_grace=timedelta(seconds=grace), ended_by_request=by_request)
    paid = payment(PaymentState.PAID, at=EXPIRY + timedelta(seconds=delay))
    after = lifecycle.apply(ended, paid, EXPIRY + timedelta(days=1))
    assert (expected, PaymentStatus.PAID) == (after.state, after.payment_status)
    assert (expected is State.EXPIRED) == after.payments[0].late


def test_payment_in_progress_refuses_expire() -> None:
    """Nobody ends a session whose buyer has committed."""
    made = lifecycle.apply(session(), payment(PaymentState.PROCESSING), NOW)
    with pytest.raises(PaymentInProgress):
        lifecycle.apply(made, ExpireRequested(), NOW)


def test_decline_then_approve() -> None:
    """A declined attempt leaves the session open with its reason; an approval clears it."""
    declined = lifecycle.apply(session(), payment(PaymentState.FAILED), NOW)
    assert State.OPEN is declined.state
    approved = lifecycle.apply(declined, payment(PaymentState.PAID, payment_id="pay_2"), NOW)
    assert (approved.state, approved.last_payment_error) == (State.COMPLETED, None)
    assert [p.provider_payment_id for p in approved.payments] == ["pay_1", "pay_2"]


def test_older_word_about_a_payment_changes_nothing() -> None:
    """Events out of order do not take a payment back."""
    paid = lifecycle.apply(session(), payment(PaymentState.PAID), NOW)
    for stale in (PaymentState.PROCESSING, PaymentState.FAILED, PaymentState.CANCELLED):
        assert paid is lifecycle.apply(paid, payment(stale), NOW + SECOND)


def test_a_session_ends_with_its_page() -> None:
    """A page that ends earlier than was asked for ends the session too; a later one changes nothing."""
    creating = session(State.CREATING)
    for ends, expected in ((EXPIRY - SECOND, EXPIRY - SECOND), (EXPIRY + SECOND, EXPIRY)):
        answer = ProviderSession(
            provider_session_id="page_1", url="https://pay", payable_until=ends
        )
        opened = lifecycle.apply(creating, Answered(answer, EXPIRY), NOW)
        assert (opened.expire_time, opened.payable_until) == (expected, ends)


def test_what_was_settled_while_it_was_closed_is_completed() -> None:
    """Nothing was due, and the provider tells so only when the session is to end."""
    ended = lifecycle.apply(session(provider_session_id="page_1"), ExpireRequested(), NOW)
    closing = Closing(closed=True, authorised=True, authorised_time=NOW - SECOND)
    completed = lifecycle.closed(ended, closing, NOW + SECOND)
    assert completed.state is State.COMPLETED
    assert completed.payment_status is PaymentStatus.NO_PAYMENT_REQUIRED


def test_a_payment_that_comes_in_parts_grows() -> None:
    """More of the same payment is kept, and an older report takes none of it away."""
    made = session()
    for amount in (1000, 1500, 1000):
        report = payment(PaymentState.PARTIALLY_PAID, amount=amount)
        made = lifecycle.apply(made, report, NOW)
    assert [Money(1500, "USD")] == [one.amount for one in made.payments]


def test_second_payment_is_recorded_and_moves_nothing() -> None:
    """Money that comes twice is visible twice."""
    paid = lifecycle.apply(session(), payment(PaymentState.PAID), NOW)
    twice = lifecycle.apply(paid, payment(PaymentState.PAID, payment_id="pay_2"), NOW)
    assert State.COMPLETED is twice.state
    assert Money(3998, "USD") == payments.amount_paid(twice)


def test_refund_and_dispute_move_no_state() -> None:
    """Refunds add up once each, whatever comes first, and a decided dispute does not open again."""
    paid = lifecycle.apply(session(), payment(PaymentState.PAID), NOW)
    refund = RefundReport(payment_id="pay_1", refund_id="ref_1", amount=Money(500, "USD"))
    after = lifecycle.apply(paid, refund, NOW)
    assert after is lifecycle.apply(after, refund, NOW)
    for word in (DisputeStatus.OPEN, DisputeStatus.LOST, DisputeStatus.OPEN):
        report = DisputeReport(payment_id="pay_1", dispute_id="dp_1", status=word)
        after = lifecycle.apply(after, report, NOW)
    assert (after.state, after.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    assert Money(500, "USD") == payments.amount_refunded(after)
    assert DisputeStatus.LOST is payments.dispute_status(after)


def test_refund_of_what_was_left() -> None:
    """A refund that names no amount returned the rest, even where it was told before its payment."""
    rest = RefundReport(payment_id="pay_1", refund_id="ref_2", amount=None)
    part = RefundReport(payment_id="pay_1", refund_id="ref_1", amount=Money(500, "USD"))
    made = lifecycle.apply(session(), rest, NOW)
    assert payments.amount_refunded(made) is None
    for happening in (payment(PaymentState.PAID), part, rest):
        made = lifecycle.apply(made, happening, NOW)
    assert Money(1999, "USD") == payments.amount_refunded(made)
    assert Money(1999, "USD") == payments.payment_refunded(made, made.payments[0])


def test_what_the_provider_says_of_totals_and_oddities_is_kept() -> None:
    """The provider's total replaces ours, and each warning stands on the session once."""
    total = Totals(source=TotalsSource.PROVIDER, total=Money(1999, "USD"))
    odd = SessionWarning("ODD", message="odd")
    report = structs.replace(payment(PaymentState.PAID), totals=total, warnings=(odd,))
    after = lifecycle.apply(session(warnings=(odd,)), report, NOW)
    assert (total, (odd,)) == (after.totals, after.warnings)


def test_event_before_the_answer() -> None:
    """A payment seen before the create's answer completes the session, and the answer adds what it knows."""
    creating = session(C, provider_session_id="", provider_url="", payable_until=None)
    paid = lifecycle.apply(creating, payment(PaymentState.PAID), NOW)
    after = lifecycle.apply(paid, HAPPENINGS[Event.CREATED], NOW + SECOND)
    assert (after.state, after.provider_session_id) == (State.COMPLETED, "cks_1")
    assert checkout_url(after) == ""


def test_version_grows_by_one_with_each_change_only() -> None:
    """A change makes one new version, an event that says nothing new makes none."""
    made = session()
    paid = lifecycle.apply(made, payment(PaymentState.PAID), NOW + SECOND)
    assert (made.version + 1, NOW + SECOND) == (paid.version, paid.update_time)
    assert paid is lifecycle.apply(paid, payment(PaymentState.PAID), NOW + 2 * SECOND)


@pytest.mark.parametrize(
    ("made", "at", "expected"),
    [
        (session(), NOW, ProviderLink.LIVE),
        (session(X, ended_by_request=True), NOW, ProviderLink.STILL_PAYABLE),
        (session(X), EXPIRY, ProviderLink.CLOSED),
        (session(D), NOW, ProviderLink.CLOSED),
        (session(X, link_closed=True), NOW, ProviderLink.CLOSED),
        (session(C, provider_session_id="", provider_url=""), NOW, ProviderLink.UNKNOWN),
        (session(C, provider_url=""), NOW, ProviderLink.UNKNOWN),
        (session(U, provider_url=""), NOW, ProviderLink.UNKNOWN),
        (session(F, provider_url="", closing_time=NOW), NOW, ProviderLink.STILL_PAYABLE),
        (session(F, provider_url="", closing_time=NOW), EXPIRY, ProviderLink.CLOSED),
        (session(F, provider_url="", link_closed=True), NOW, ProviderLink.CLOSED),
        (session(D, provider_url=""), NOW, ProviderLink.CLOSED),
        (session(F, provider_session_id=""), NOW, None),
    ],
)
def test_provider_link(made: Session, at: object, expected: ProviderLink | None) -> None:
    """The session says what the provider's own page still does."""
    assert expected is provider_link(made, at)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("basis", "due", "paid", "expected"),
    [
        (AmountBasis.EXACT, Money(1999, "USD"), 1999, AmountCheck.MATCHED),
        (AmountBasis.EXACT, Money(1999, "USD"), 1998, AmountCheck.BELOW),
        (AmountBasis.AT_LEAST, Money(1999, "USD"), 2100, AmountCheck.ABOVE),
        (AmountBasis.EXACT, Money(1999, "EUR"), 1999, AmountCheck.OTHER_CURRENCY),
        (AmountBasis.NONE, Money(1999, "USD"), 1999, AmountCheck.NOT_COMPARABLE),
        (AmountBasis.EXACT, None, 1999, AmountCheck.NOT_COMPARABLE),
    ],
)
def test_amount_check(
    basis: AmountBasis, due: Money | None, paid: int, expected: AmountCheck
) -> None:
    """A paid amount is compared where comparing means something, and only noted."""
    source = TotalsSource.COMPUTED if due else TotalsSource.UNKNOWN
    made = session(amount_basis=basis, totals=Totals(source=source, total=due))
    after = lifecycle.apply(made, payment(PaymentState.PAID, amount=paid), NOW)
    assert (State.COMPLETED, expected) == (after.state, after.payments[0].amount_check)


def test_late_authorisation_is_visible() -> None:
    """A mandate given after the end completes nothing and leaves a warning."""
    late = structs.replace(
        HAPPENINGS[Event.AUTHORISED],
        authorised_time=EXPIRY + SECOND,
    )
    after = lifecycle.apply(session(X), late, EXPIRY + SECOND)
    assert (after.state, after.payment_status) == (State.EXPIRED, PaymentStatus.UNPAID)
    assert [w.code for w in after.warnings] == ["LATE_AUTHORISATION"]
