"""Whether real money moves is the provider's word, for a session and for each payment."""

import pytest
from msgspec import structs

from service.core import lifecycle
from service.core.lifecycle import Answered
from service.core.model import PaymentState, PaymentStatus, State
from service.core.ports import ProviderSession, SubscriptionReport
from tests.core.builders import EXPIRY, NOW, payment, session

CREATING = session(State.CREATING, provider_session_id="", live=True)


@pytest.mark.parametrize(("told", "expected"), [(False, False), (True, True), (None, True)])
def test_the_answer_decides_the_mode(told: bool | None, expected: bool) -> None:
    """A provider may make a test session of a live one; where it says nothing, the account's mode holds."""
    answer = ProviderSession(provider_session_id="ps", url="https://pay.example/ps", live=told)
    opened = lifecycle.apply(CREATING, Answered(answer, EXPIRY), NOW)
    assert (opened.state, opened.live) == (State.OPEN, expected)


@pytest.mark.parametrize("live", [True, False])
def test_a_payment_of_the_other_mode_counts_for_nothing(live: bool) -> None:
    """It is told by a warning with its id, and moves neither state nor payment status."""
    made = session(live=live)
    report = structs.replace(payment(PaymentState.PAID), live=not live)
    after = lifecycle.apply(made, report, NOW)
    assert (after.state, after.payment_status) == (State.OPEN, PaymentStatus.UNPAID)
    assert after.payments == ()
    (warning,) = after.warnings
    assert warning.code == "LIVE_MISMATCH"
    assert report.payment_id in warning.message
    assert lifecycle.apply(after, report, NOW) is after


@pytest.mark.parametrize("live", [True, False])
def test_a_payment_of_the_same_mode_completes(live: bool) -> None:
    """The provider's word agrees with the session's."""
    report = structs.replace(payment(PaymentState.PAID), live=live)
    assert lifecycle.apply(session(live=live), report, NOW).state is State.COMPLETED


def test_a_payment_before_the_answer_tells_the_mode() -> None:
    """Nobody else has said yet which mode the provider chose."""
    report = structs.replace(payment(PaymentState.PAID), live=False)
    after = lifecycle.apply(CREATING, report, NOW)
    assert (after.state, after.live, after.warnings) == (State.COMPLETED, False, ())


def test_an_authorisation_of_the_other_mode_counts_for_nothing() -> None:
    """A test order that came to nothing completes no live session."""
    report = SubscriptionReport(subscription_id="sub_1", authorised=True, live=False)
    after = lifecycle.apply(session(live=True), report, NOW)
    assert after.state is State.OPEN
    assert [warning.code for warning in after.warnings] == ["LIVE_MISMATCH"]
