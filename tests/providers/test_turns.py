"""Waiting for a turn, on a loop whose time passes at once."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import Struct

from service.core.purpose import Purpose
from service.providers.answers import Lost
from service.providers.budget import Budget, Rate
from service.providers.turns import Turns
from tests.providers.clockwork import ClockworkLoop, run

CREATE, CHANGE, READ, RECONCILE = Purpose


class Caller(Struct, frozen=True, kw_only=True):
    """When somebody comes, how long he waits for a turn and then needs it, and when he is torn away."""

    purpose: Purpose
    arrives: float = 0.0
    patience: float = 1000.0
    works: float = 0.0
    leaves: float | None = None


class Told(Struct):
    """What came of a caller."""

    caller: Caller
    number: int
    began: float | None = None
    ended: float | None = None
    refused: Lost | None = None
    waiting: bool = False


class Queue:
    """Turns with callers at them, and everything that is promised of them checked at each turn."""

    def __init__(self, *, connections: int = 100, rate: Rate | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.budget = Budget(connections=connections, rate=rate, chance=lambda: 0.0)
        self.turns = Turns(self.budget)
        self.told: list[Told] = []
        self.order: list[Told] = []
        self._connections = connections
        self._working = 0
        self._arrivals = 0
        self._began = self.loop.time()

    @property
    def now(self) -> float:
        """The seconds since the queue opened."""
        return self.loop.time() - self._began

    async def serve(self, callers: Sequence[Caller]) -> list[Told]:
        """Let everybody come, and return what came of each."""
        self.told = [Told(caller, number) for number, caller in enumerate(callers)]
        tasks = [asyncio.ensure_future(self._call(told)) for told in self.told]
        for told, task in zip(self.told, tasks, strict=True):
            if told.caller.leaves is not None:
                self.loop.call_later(told.caller.leaves, task.cancel)
        await asyncio.wait(tasks)
        for task in tasks:
            assert task.cancelled() or task.exception() is None, task.exception()
        return self.told

    async def _call(self, told: Told) -> None:
        caller = told.caller
        await asyncio.sleep(caller.arrives)
        self._arrivals += 1
        told.number = self._arrivals
        told.waiting = True
        try:
            if not self.turns.take(caller.purpose, self.loop.time()):
                until = self.loop.time() + caller.patience
                told.refused = await self.turns.wait(caller.purpose, until)
        finally:
            told.waiting = False
        if told.refused is None:
            await self._work(told)

    async def _work(self, told: Told) -> None:
        told.began = self.now
        self.order.append(told)
        self._working += 1
        assert self._working <= self._connections
        try:
            await asyncio.sleep(told.caller.works)
        finally:
            self._working -= 1
            told.ended = self.now
            self.turns.end(told.caller.purpose)


def served(callers: Sequence[Caller], **limits: object) -> list[Told]:
    """Let callers come to a fresh queue."""

    async def serve() -> list[Told]:
        return await Queue(**limits).serve(callers)  # type: ignore[arg-type]

    return run(serve())


def began(told: Sequence[Told]) -> list[float | None]:
    """Return when each got a turn, to the millisecond."""
    return [None if one.began is None else round(one.began, 3) for one in told]


def test_free_turn_is_had_at_once() -> None:
    """Nobody waits while there is enough."""
    assert began(served([Caller(purpose=purpose) for purpose in Purpose])) == [0.0] * 4


def test_rate_is_kept_in_order() -> None:
    """After the burst one call follows another at the rate, first come, first served."""
    callers = [Caller(purpose=CREATE) for _ in range(6)]
    told = served(callers, rate=Rate(per_second=2, burst=2))
    assert began(told) == pytest.approx([0, 0, 0.5, 1, 1.5, 2], abs=0.01)


def test_creates_go_first() -> None:
    """Whoever came before, creates go before changes, those before reads, and reconciliation comes last."""
    arriving = [RECONCILE, READ, CHANGE, CREATE]
    callers = [Caller(purpose=CREATE)]
    callers += [Caller(purpose=p, arrives=n / 100) for n, p in enumerate(arriving * 2, 1)]
    told = served(callers, rate=Rate(per_second=1, burst=1))
    order = [one.caller.purpose for one in sorted(told, key=lambda one: one.began or 0)]
    assert order == [CREATE, CREATE, CREATE, CHANGE, CHANGE, READ, READ, RECONCILE, RECONCILE]


def test_create_passes_reconciliation_for_a_connection() -> None:
    """With one connection in use the next is the create's, although reconciliation asked for it earlier."""
    told = served(
        [
            Caller(purpose=READ, works=1),
            Caller(purpose=RECONCILE, arrives=0.1),
            Caller(purpose=CREATE, arrives=0.2, works=1),
        ],
        connections=1,
    )
    assert began(told) == [0.0, 2.0, 1.0]


def test_reconciliation_gets_a_quarter_and_no_create_notices() -> None:
    """Beside a flood of reconciliation every create goes at once; reconciliation goes at its own pace."""
    flood = [Caller(purpose=RECONCILE) for _ in range(40)]
    creates = [Caller(purpose=CREATE, arrives=n / 2) for n in range(20)]
    told = served(flood + creates, rate=Rate(per_second=4, burst=8))
    assert [one.began for one in told[40:]] == [pytest.approx(c.arrives) for c in creates]
    within = [one for one in told[:40] if one.began is not None and one.began <= 20]
    assert len(within) == pytest.approx(2 + 20 * 4 / 4, abs=1)


def test_wait_that_is_too_long_is_refused_at_once() -> None:
    """Who cannot be served in time is told so at once, with the time it would take."""
    callers = [Caller(purpose=CREATE) for _ in range(3)]
    callers += [Caller(purpose=CREATE, arrives=0.25, patience=2)]
    *_, late = served(callers, rate=Rate(per_second=0.5, burst=1))
    assert late.refused is not None
    assert (late.refused.cause, late.refused.sent) == ("rate_limited", False)
    assert late.refused.retry_after
    assert late.refused.retry_after.total_seconds() == pytest.approx(5.75)


def test_wait_for_a_connection_ends_in_time() -> None:
    """Nobody knows when a connection is free: the wait for it ends with the caller's time."""
    first, second = served(
        [Caller(purpose=CREATE, works=10), Caller(purpose=CREATE, patience=2)], connections=1
    )
    assert (first.ended, second.began) == (10, None)
    assert second.refused == Lost("no_free_connection", sent=False)


def test_overtaken_reader_is_told_of_the_limit() -> None:
    """A read that creates went before is refused when its time is over."""
    callers = [Caller(purpose=CREATE), Caller(purpose=READ, patience=1.5)]
    callers += [Caller(purpose=CREATE, arrives=0.9 + n) for n in range(3)]
    told = served(callers, rate=Rate(per_second=1, burst=1))
    assert told[1].refused is not None
    assert told[1].refused.cause == "rate_limited"


def test_who_leaves_gives_his_place_back() -> None:
    """A caller torn away from the queue delays nobody behind him."""
    callers = [Caller(purpose=CREATE, leaves=0.5 if n in {1, 2} else None) for n in range(5)]
    told = served(callers, rate=Rate(per_second=1, burst=1))
    assert began(told) == pytest.approx([0, None, None, 1, 2], abs=0.01)


def test_who_leaves_with_a_turn_in_his_hand_gives_it_back() -> None:
    """A turn granted to somebody who is torn away in the same moment goes to the next, rate included."""

    async def torn_away() -> list[bool]:
        queue = Queue(connections=1, rate=Rate(per_second=0.001, burst=2))
        assert queue.turns.take(CREATE, queue.loop.time())
        until = queue.loop.time() + 5000
        first, second = (asyncio.ensure_future(queue.turns.wait(CREATE, until)) for _ in range(2))
        await asyncio.sleep(0)
        queue.turns.end(CREATE)
        first.cancel()
        assert await second is None
        return [first.cancelled()]

    assert run(torn_away()) == [True]


def test_create_does_not_sleep_as_long_as_reconciliation() -> None:
    """Whoever comes while others wait for long is woken in his own time."""
    told = served(
        [
            *(Caller(purpose=RECONCILE) for _ in range(2)),
            *(Caller(purpose=CREATE, arrives=1.5) for _ in range(2)),
        ],
        rate=Rate(per_second=1, burst=1),
    )
    assert began(told) == pytest.approx([0, 4, 1.5, 2.5], abs=0.01)


def test_nobody_slips_in_before_those_who_wait() -> None:
    """A turn that is free already is not for whoever comes just before the others are woken."""

    async def come() -> list[bool]:
        queue = Queue(rate=Rate(per_second=1, burst=1))
        now = queue.loop.time()
        assert queue.turns.take(READ, now)
        waiting = asyncio.ensure_future(queue.turns.wait(READ, now + 100))
        await asyncio.sleep(0)
        taken = [queue.turns.take(purpose, now + 1) for purpose in (READ, RECONCILE, CREATE)]
        assert await waiting is None
        return taken

    assert run(come()) == [False, False, True]


def test_closing_sends_everybody_away() -> None:
    """Nobody waits for a client that is closed."""

    async def closed() -> list[Lost | None]:
        queue = Queue(connections=1, rate=Rate(per_second=0.001, burst=1))
        assert queue.turns.take(CREATE, queue.loop.time())
        waits = [
            asyncio.ensure_future(queue.turns.wait(purpose, queue.loop.time() + 5000))
            for purpose in Purpose
        ]
        await asyncio.sleep(0)
        queue.turns.close()
        late = await queue.turns.wait(CREATE, queue.loop.time() + 5000)
        return [*await asyncio.gather(*waits), late]

    assert run(closed()) == [Lost("closed", sent=False)] * 5


def test_nobody_looks_again_and_again() -> None:
    """The time passes in as many steps as there are turns to wait for."""

    async def waits() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ClockworkLoop)
        queue = Queue(rate=Rate(per_second=10, burst=1))
        await queue.serve([Caller(purpose=CREATE) for _ in range(50)])
        return loop.waits

    assert run(waits()) <= 2 * 50


CALLERS = some.builds(
    Caller,
    purpose=some.sampled_from(list(Purpose)),
    arrives=some.floats(0, 10),
    patience=some.floats(0, 20),
    works=some.floats(0, 5),
    leaves=some.none() | some.floats(0, 20),
)


@settings(max_examples=40, deadline=None)
@given(
    callers=some.lists(CALLERS, min_size=1, max_size=40),
    connections=some.integers(1, 6),
    rate=some.none()
    | some.builds(Rate, per_second=some.floats(0.2, 10), burst=some.integers(1, 8)),
)
def test_whatever_comes(callers: list[Caller], connections: int, rate: Rate | None) -> None:
    """In any crowd turns are kept in number, rate and order, and everything is given back in the end."""

    async def serve() -> Queue:
        queue = Queue(connections=connections, rate=rate)
        await queue.serve(callers)
        assert queue.turns.take(CREATE, queue.loop.time() + 1e6)
        queue.turns.end(CREATE)
        return queue

    queue = run(serve())
    for one in queue.told:
        if one.refused is not None:
            assert one.refused.cause in {"rate_limited", "no_free_connection"}
            assert not one.refused.sent
    for purpose in Purpose:
        alike = [one.number for one in queue.order if one.caller.purpose is purpose]
        assert all(earlier < later for earlier, later in pairwise(alike))
    shares = [(1.0, queue.order)]
    shares += [(0.25, [one for one in queue.order if one.caller.purpose is RECONCILE])]
    for share, order in shares if rate else []:
        assert_rate([one.began or 0.0 for one in order], rate, share)
    for kept in (list(Purpose), [RECONCILE]):
        most = connections if len(kept) > 1 else max(1, connections // 4)
        assert at_once([one for one in queue.order if one.caller.purpose in kept]) <= most


def assert_rate(sent: list[float], rate: Rate | None, share: float) -> None:
    """Check that no stretch of time holds more calls than its rate allows."""
    assert rate is not None
    burst = max(1, int(rate.burst * share))
    for first, begin in enumerate(sent):
        for count, end in enumerate(sent[first:], 1):
            assert count <= burst + rate.per_second * share * (end - begin) + 1e-3


def at_once(told: Sequence[Told]) -> int:
    """Return how many worked at the same time at most."""
    changes = [(one.began or 0.0, 1) for one in told]
    changes += [(one.ended, -1) for one in told if one.ended is not None]
    working = most = 0
    for _, change in sorted(changes):
        working += change
        most = max(most, working)
    return most


def test_the_services_own_loop_keeps_the_rate() -> None:
    """The timers of uvloop, exact to a millisecond, wake whoever waits."""

    async def serve() -> list[float]:
        queue = Queue(rate=Rate(per_second=200, burst=1))
        told = await queue.serve([Caller(purpose=CREATE) for _ in range(20)])
        return [one.began or 0.0 for one in told]

    assert uvloop.run(serve())[-1] >= 19 / 200 - 0.002
