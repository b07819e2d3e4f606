"""The budget of an account: what may be sent when, by given times."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from service.core.purpose import Purpose, purpose_of, working_for
from service.providers.budget import (
    FIRST_PAUSE,
    LONGEST_OBEDIENCE,
    LONGEST_PAUSE,
    Bucket,
    Budget,
    Rate,
)

CREATE, READ, RECONCILE = Purpose.CREATE, Purpose.READ, Purpose.RECONCILE
CLOVER = Rate(per_second=12, burst=4)


def budget(*, connections: int = 100, rate: Rate | None = None, chance: float = 1.0) -> Budget:
    """Return a fresh budget."""
    return Budget(connections=connections, rate=rate, chance=lambda: chance)


@settings(max_examples=50, deadline=None)
@given(
    pauses=some.lists(some.floats(0, 2), max_size=80),
    rate=some.builds(Rate, per_second=some.floats(0.1, 50), burst=some.integers(1, 20)),
    purpose=some.sampled_from([CREATE, RECONCILE]),
)
def test_no_window_holds_more_than_its_rate(
    pauses: list[float], rate: Rate, purpose: Purpose
) -> None:
    """In any stretch of time at most the burst and what it refills are sent; reconciliation, a quarter of it."""
    spent, sent = budget(connections=1000, rate=rate), []
    for now in accumulate(pauses, initial=1.0):
        while spent.take(purpose, now):
            sent.append(now)
    share = 0.25 if purpose is RECONCILE else 1.0
    burst = max(1, int(rate.burst * share))
    for first, begin in enumerate(sent):
        for last, end in enumerate(sent[first:], 1):
            assert last <= burst + rate.per_second * share * (end - begin) + 1e-3


@pytest.mark.parametrize("purpose", Purpose)
def test_what_was_waited_for_is_there(purpose: Purpose) -> None:
    """A turn can be taken at the time that was foretold, and not before."""
    spent, now = budget(rate=CLOVER), 5.0
    while spent.take(purpose, now):
        pass
    wait = spent.seconds_until(purpose, now)
    assert wait > 0
    assert not spent.take(purpose, now + 0.99 * wait)
    assert spent.take(purpose, now + wait)


def test_wait_grows_with_those_ahead() -> None:
    """Each call ahead takes a token of its own."""
    bucket = Bucket(Rate(per_second=2, burst=1))
    bucket.add(-1)
    assert [bucket.seconds_until(tokens, 0.0) for tokens in (1, 2, 3)] == [0.5, 1.0, 1.5]


def test_returned_turn_can_be_taken_again() -> None:
    """A turn with which nothing was sent costs nothing, neither of the rate nor of reconciliation's share."""
    spent = budget(connections=4, rate=Rate(per_second=0.001, burst=4))
    for purpose in (RECONCILE, CREATE):
        for _ in range(10):
            assert spent.take(purpose, 1.0)
            spent.give_back(purpose)
    assert [spent.take(CREATE, 1.0) for _ in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize(("connections", "most"), [(1, 1), (4, 1), (5, 1), (8, 2), (100, 25)])
def test_reconciliation_has_a_quarter_of_the_connections(connections: int, most: int) -> None:
    """The other connections are there for calls that somebody waits for."""
    spent = budget(connections=connections)
    assert [spent.take(RECONCILE, 0.0) for _ in range(most + 1)] == [True] * most + [False]
    assert not spent.has_connection(RECONCILE)
    assert [spent.take(CREATE, 0.0) for _ in range(connections - most)] == [True] * (
        connections - most
    )
    assert not spent.take(CREATE, 0.0)
    spent.end(RECONCILE)
    assert spent.take(CREATE, 0.0)


def test_provider_that_asks_for_a_pause_gets_it() -> None:
    """Until its delay is over nothing is sent, whoever asks; a little more keeps everybody from coming at once."""
    spent = budget(rate=CLOVER, chance=0.5)
    assert spent.take(CREATE, 10.0)
    assert spent.limited(10.0, 11.0, 7.0) == pytest.approx(7.35)
    assert spent.seconds_until(CREATE, 12.0) == pytest.approx(6.35)
    assert not any(spent.take(purpose, 18.3) for purpose in Purpose)
    assert spent.take(CREATE, 18.4)


def test_shorter_delay_does_not_end_a_longer_pause() -> None:
    """Of several delays the last to end counts."""
    spent = budget(chance=0.0)
    spent.limited(0.0, 1.0, 20.0)
    spent.limited(0.0, 2.0, 1.0)
    assert (spent.take(CREATE, 20.9), spent.take(CREATE, 21.0)) == (False, True)


def test_no_delay_stops_an_account_for_long() -> None:
    """A delay of an hour is obeyed for a minute, then asked again."""
    spent = budget(chance=0.0)
    spent.limited(0.0, 0.0, 3600.0)
    assert spent.seconds_until(CREATE, 0.0) == LONGEST_OBEDIENCE


def test_pauses_without_a_delay_double() -> None:
    """Where the provider names no delay each refusal in a row doubles the pause; an answer ends the row."""
    spent, now, pauses = budget(), 0.0, []
    for _ in range(7):
        pauses.append(spent.limited(now + 0.5, now + 1, None))
        now += 1 + pauses[-1]
    assert pauses == [FIRST_PAUSE, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    spent.answered()
    assert spent.limited(now + 0.5, now + 1, None) == FIRST_PAUSE


def test_refusals_at_once_are_one() -> None:
    """What was on its way when a pause began was refused for the same reason."""
    spent = budget()
    assert spent.limited(0.0, 1.0, None) == FIRST_PAUSE
    assert [spent.limited(0.5, 1.1, None) for _ in range(50)] == [0.0] * 50
    assert spent.seconds_until(CREATE, 1.1) == pytest.approx(0.9)


def test_rested_budget_starts_anew_after_a_pause() -> None:
    """The tokens from before the refusal were worth nothing: they come back with time alone."""
    spent = budget(rate=Rate(per_second=1, burst=10), chance=0.0)
    spent.limited(0.0, 1.0, 2.0)
    assert [spent.take(CREATE, 3.0) for _ in range(3)] == [True, True, False]


def test_work_that_counts_for_less_makes_no_claim() -> None:
    """Whatever reconciliation calls for is reconciliation; outside of it a call is what it is."""
    assert [purpose_of(purpose) for purpose in Purpose] == list(Purpose)
    with working_for(RECONCILE):
        assert {purpose_of(purpose) for purpose in Purpose} == {RECONCILE}
        with working_for(READ):
            assert purpose_of(CREATE) is READ
    assert purpose_of(CREATE) is CREATE
