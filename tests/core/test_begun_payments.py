"""A payment was made when it was first being processed, whenever the money came and in whatever order it is told."""

from datetime import datetime

import pytest

from service.core import lifecycle
from service.core.model import PaymentState, Session, State, TimeSource
from tests.core.builders import EXPIRY, NOW, SECOND, payment, session

BEGUN = NOW + SECOND
ARRIVED = EXPIRY + 3600 * SECOND
REPORTS = ((PaymentState.PROCESSING, BEGUN), (PaymentState.PAID, ARRIVED))
EARLIER = ((PaymentState.PROCESSING, BEGUN), (PaymentState.PAID, EXPIRY))


def told(*reports: tuple[PaymentState, datetime | None]) -> Session:
    """Return a session after reports that came in after its end, a second apart."""
    found = session()
    for number, (status, at) in enumerate(reports, 1):
        found = lifecycle.apply(found, payment(status, at), ARRIVED + number * SECOND)
    return found


@pytest.mark.parametrize("reports", [REPORTS, REPORTS[::-1]])
def test_it_is_in_time_where_it_began_in_time(
    reports: tuple[tuple[PaymentState, datetime | None], ...],
) -> None:
    """Whatever is told first, the session is completed as of when the buyer committed."""
    found = told(*reports)
    (made,) = found.payments
    assert (found.state, found.complete_time, found.end_time) == (State.COMPLETED, BEGUN, None)
    assert (made.payment_time, made.late) == (BEGUN, False)
    assert made.time_source is TimeSource.PROVIDER


@pytest.mark.parametrize("reports", [EARLIER, EARLIER[::-1]])
def test_its_time_is_the_same_in_any_order(
    reports: tuple[tuple[PaymentState, datetime | None], ...],
) -> None:
    """Also where it had been completed by the later time already."""
    found = told(*reports)
    assert (found.state, found.complete_time) == (State.COMPLETED, BEGUN)
    assert found.payments[0].payment_time == BEGUN


def test_without_a_time_of_the_providers_the_first_receipt_counts() -> None:
    """The money is not later for being told of twice."""
    found = told((PaymentState.PROCESSING, None), (PaymentState.PAID, None))
    assert found.payments[0].payment_time == ARRIVED + SECOND
    assert found.payments[0].time_source is TimeSource.RECEIPT


@pytest.mark.parametrize("status", [PaymentState.PARTIALLY_PAID, PaymentState.FAILED])
def test_a_part_or_a_decline_commits_to_nothing(status: PaymentState) -> None:
    """Whoever pays the rest, or tries again, after the end is late."""
    found = told((status, BEGUN), (PaymentState.PAID, ARRIVED))
    assert (found.state, found.payments[0].late) == (State.EXPIRED, True)


def test_a_later_word_of_processing_changes_nothing() -> None:
    """A payment is never made later than it was known to be."""
    found = told((PaymentState.PAID, BEGUN))
    after = lifecycle.apply(found, payment(PaymentState.PROCESSING, ARRIVED), ARRIVED)
    assert after is found
