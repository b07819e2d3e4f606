"""The circuit breaker: every sequence of calls, answers and pauses against a model, and its figures."""

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from service.providers.breaker import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    THRESHOLD,
    TRIAL_PATIENCE,
    Breaker,
    BreakerState,
)

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


def opened(now: float = 0.0, chance: float = 1.0) -> Breaker:
    """Return a breaker that has just opened."""
    breaker = Breaker(chance=lambda: chance)
    for _ in range(THRESHOLD):
        breaker.failed(breaker.take(now), now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """The fifth call in a row that fails opens the breaker, and not the fourth."""
    breaker = Breaker(chance=lambda: 1.0)
    for _ in range(THRESHOLD - 1):
        breaker.failed(breaker.take(0.0), 0.0)
    assert breaker.state is CLOSED
    breaker.succeeded(breaker.take(0.0))
    for _ in range(THRESHOLD - 1):
        breaker.failed(breaker.take(0.0), 0.0)
    assert breaker.state is CLOSED
    breaker.failed(breaker.take(0.0), 0.0)
    assert (breaker.state, breaker.take(0.0), breaker.wait(0.0)) == (OPEN, 0, SHORTEST_PAUSE)


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_pause_has_jitter(chance: float, share: float) -> None:
    """Up to half of the pause is left to chance."""
    assert opened(chance=chance).wait(0.0) == SHORTEST_PAUSE * share


def test_pauses_grow_with_the_outage() -> None:
    """The pause is a tenth of the outage so far, from a second to thirty: so soon an end is noticed."""
    breaker, now, pauses = opened(), 0.0, list[float]()
    while now < 1000:
        pauses.append(breaker.wait(now))
        assert pauses[-1] == pytest.approx(min(max(now / 10, SHORTEST_PAUSE), LONGEST_PAUSE))
        now += pauses[-1]
        breaker.failed(breaker.take(now), now)
    assert pauses[-1] == LONGEST_PAUSE


def test_one_trial_decides() -> None:
    """After the pause one call goes through and the others wait for what it finds."""
    breaker = opened()
    trial = breaker.take(1.0)
    assert (trial > 0, breaker.state, breaker.take(1.0)) == (True, HALF_OPEN, 0)
    assert breaker.wait(1.0) == SHORTEST_PAUSE
    breaker.succeeded(trial)
    assert (breaker.state, breaker.take(1.0) > 0) == (CLOSED, True)


def test_trial_that_hangs_is_followed_by_another() -> None:
    """A trial that is swallowed does not keep the account shut for as long as it hangs."""
    breaker = opened()
    first = breaker.take(1.0)
    assert not breaker.take(1.0 + TRIAL_PATIENCE - 0.01)
    second = breaker.take(1.0 + TRIAL_PATIENCE)
    assert second > first
    breaker.failed(first, 5.0)
    assert breaker.state is HALF_OPEN
    breaker.succeeded(second)
    assert breaker.state is CLOSED


def test_slow_trial_closes_it_all_the_same() -> None:
    """An answer that takes longer than the patience with a trial is an answer."""
    breaker = opened()
    first = breaker.take(1.0)
    breaker.take(1.0 + TRIAL_PATIENCE)
    breaker.succeeded(first)
    assert breaker.state is CLOSED


def test_trial_that_tells_nothing_lets_the_next_one_through() -> None:
    """A trial whose caller has gone leaves its place to the next call."""
    breaker = opened()
    breaker.dropped(breaker.take(1.0), 1.5)
    assert breaker.take(1.5) > 0


def test_calls_from_before_say_nothing_of_after() -> None:
    """Calls that hung in the outage and end after it neither open the breaker again nor close it earlier."""
    breaker = Breaker(chance=lambda: 1.0)
    hanging = [breaker.take(0.0) for _ in range(3 * THRESHOLD)]
    for ticket in hanging[:THRESHOLD]:
        breaker.failed(ticket, 0.0)
    breaker.succeeded(hanging[THRESHOLD])
    assert breaker.state is OPEN
    breaker.succeeded(breaker.take(1.0))
    for ticket in hanging[THRESHOLD + 1 :]:
        breaker.failed(ticket, 2.0)
    assert breaker.state is CLOSED


def test_call_under_way_goes_on_only_in_its_own_time() -> None:
    """A call may try again while its ticket is good: not when the breaker opened, nor as a trial that was followed."""
    breaker = Breaker(chance=lambda: 1.0)
    before = breaker.take(0.0)
    assert breaker.admits(before, 0.0)
    for _ in range(THRESHOLD):
        breaker.failed(before, 0.0)
    assert not breaker.admits(before, 10.0)
    assert (breaker.admits(0, 0.5), breaker.admits(0, 1.0)) == (False, True)
    trial = breaker.take(1.0)
    assert breaker.admits(trial, 1.0)
    breaker.take(1.0 + TRIAL_PATIENCE)
    assert not breaker.admits(trial, 5.0)


class BreakerModel(RuleBasedStateMachine):
    """The breaker beside a plain account of periods, outages and trials."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.draw = 1.0
        self.breaker = Breaker(chance=lambda: self.draw)
        self.period = 0
        self.row = 0
        self.since: float | None = None
        self.not_before = 0.0
        self.trials = 0
        self.is_trying = False

    @rule(seconds=strategies.floats(0, 40), draw=strategies.floats(0, 1))
    def pass_time(self, seconds: float, draw: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.draw = draw

    @rule(target=calls)
    def call(self) -> tuple[int, int, int]:
        """Ask for a call: it goes through in quiet times, or as a trial that is due."""
        ticket = self.breaker.take(self.now)
        if self.since is None:
            assert ticket
            return ticket, self.period, 0
        assert bool(ticket) == (self.now >= self.not_before)
        if not ticket:
            return 0, -1, 0
        self.trials += 1
        self.is_trying = True
        self.not_before = self.now + TRIAL_PATIENCE
        return ticket, self.period, self.trials

    @rule(call=consumes(calls))
    def succeed(self, call: tuple[int, int, int]) -> None:
        """End a call well."""
        ticket, period, trial = call
        if not ticket:
            return
        self.breaker.succeeded(ticket)
        if period == self.period and bool(trial) == (self.since is not None):
            self.row = 0
            if self.since is not None:
                self.since, self.is_trying, self.trials = None, False, 0
                self.period += 1

    @rule(call=consumes(calls))
    def fail(self, call: tuple[int, int, int]) -> None:
        """End a call badly."""
        ticket, period, trial = call
        if not ticket:
            return
        self.breaker.failed(ticket, self.now)
        if period != self.period:
            return
        if self.since is None:
            self.row += 1
            if self.row == THRESHOLD:
                self.since, self.row = self.now, 0
                self.pause()
        elif trial and trial == self.trials and self.is_trying:
            self.pause()

    @rule(call=consumes(calls))
    def drop(self, call: tuple[int, int, int]) -> None:
        """End a call without learning anything."""
        ticket, period, trial = call
        if not ticket:
            return
        self.breaker.dropped(ticket, self.now)
        if period == self.period and trial and trial == self.trials and self.is_trying:
            self.not_before = self.now

    def pause(self) -> None:
        """Be shut for a tenth of the outage so far."""
        assert self.since is not None
        length = min(max((self.now - self.since) / 10, SHORTEST_PAUSE), LONGEST_PAUSE)
        self.not_before = self.now + length * (0.5 + self.draw / 2)
        self.is_trying = False

    @invariant()
    def agrees(self) -> None:
        """State, pause and length of the outage are the model's."""
        expected = CLOSED if self.since is None else HALF_OPEN if self.is_trying else OPEN
        assert self.breaker.state is expected
        left = 0.0 if self.since is None else max(self.not_before - self.now, 0.0)
        assert self.breaker.wait(self.now) == pytest.approx(
            min(left, SHORTEST_PAUSE) if self.is_trying else left
        )
        outage = 0.0 if self.since is None else self.now - self.since
        assert self.breaker.open_for(self.now) == pytest.approx(outage)
        assert self.breaker.admits(0, self.now) == (left == 0.0)


BreakerModel.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestBreakerModel = BreakerModel.TestCase
