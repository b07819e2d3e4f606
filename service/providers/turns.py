"""Waiting for a turn within an account's budget: by purpose, and first come, first served within each."""

import asyncio
from collections import deque
from datetime import timedelta

from service.core.purpose import Purpose
from service.providers.answers import Lost
from service.providers.budget import Budget

NO_CONNECTION = "no_free_connection"
LIMITED = "rate_limited"
CLOSED = "closed"
_GRANTED = ""
# A loop's timers may be some fraction of a millisecond early: nobody is woken for nothing again and again.
_SHORTEST_SLEEP = 0.001


class Turns:
    """Hands out turns; who leaves the queue, at whatever moment, takes nothing with him."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._queues: tuple[deque[asyncio.Future[str]], ...] = tuple(deque() for _ in Purpose)
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self, purpose: Purpose, now: float) -> bool:
        """Take a turn at once, if there is one and nobody waits who goes first."""
        if self._waiting and any(self._queues[: purpose + 1]):
            return False
        return self._budget.take(purpose, now)

    async def wait(self, purpose: Purpose, until: float) -> Lost | None:
        """Return nothing once a turn is taken, or why there will be none before a time of the loop."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._is_closed or now + self._expected(purpose, now) > until:
            return self._refusal(purpose, now)
        turn = loop.create_future()
        self._queues[purpose].append(turn)
        self._waiting += 1
        self._wake_in_time(loop)
        limit = loop.call_at(until, self._give_up, purpose, turn)
        try:
            cause = await turn
        except asyncio.CancelledError:
            self._left(purpose, turn)
            raise
        finally:
            limit.cancel()
        return None if cause == _GRANTED else self._refusal(purpose, loop.time(), cause)

    def end(self, purpose: Purpose) -> None:
        """End a turn, and let the next one have it."""
        self._budget.end(purpose)
        if self._waiting:
            self._serve()

    def give_back(self, purpose: Purpose) -> None:
        """Return a turn with which nothing was sent."""
        self._budget.give_back(purpose)
        if self._waiting:
            self._serve()

    def close(self) -> None:
        """Send everybody away who waits."""
        self._is_closed = True
        for purpose in Purpose:
            while self._has_next(purpose):
                self._dismiss(purpose, CLOSED)
        if self._timer is not None:
            self._timer.cancel()

    def _expected(self, purpose: Purpose, now: float) -> float:
        ahead = sum(map(len, self._queues[: purpose + 1]))
        return self._budget.seconds_until(purpose, now, ahead, len(self._queues[purpose]))

    def _refusal(self, purpose: Purpose, now: float, cause: str = "") -> Lost:
        if self._is_closed:
            return Lost(CLOSED, sent=False)
        seconds = self._expected(purpose, now)
        if not cause:
            cause = LIMITED if seconds else NO_CONNECTION
        return Lost(cause, sent=False, retry_after=timedelta(seconds=seconds) if seconds else None)

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for purpose in Purpose:
            while self._has_next(purpose) and self._budget.take(purpose, now):
                self._dismiss(purpose, _GRANTED)
            if self._queues[purpose]:
                # What keeps this one waiting keeps everybody behind it waiting too.
                break
        self._wake_in_time(loop)

    def _wake_in_time(self, loop: asyncio.AbstractEventLoop) -> None:
        first = next((purpose for purpose in Purpose if self._queues[purpose]), None)
        if first is None or not self._budget.has_connection(first):
            return
        now = loop.time()
        due = now + max(self._budget.seconds_until(first, now), _SHORTEST_SLEEP)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._serve()

    def _has_next(self, purpose: Purpose) -> bool:
        queue = self._queues[purpose]
        while queue and queue[0].cancelled():
            # Who was cancelled a moment ago has had no time to leave the queue himself.
            queue.popleft()
            self._waiting -= 1
        return bool(queue)

    def _dismiss(self, purpose: Purpose, cause: str) -> None:
        turn = self._queues[purpose].popleft()
        self._waiting -= 1
        turn.set_result(cause)

    def _give_up(self, purpose: Purpose, turn: asyncio.Future[str]) -> None:
        if turn.done():
            return
        self._queues[purpose].remove(turn)
        self._waiting -= 1
        turn.set_result(LIMITED if self._budget.has_connection(purpose) else NO_CONNECTION)

    def _left(self, purpose: Purpose, turn: asyncio.Future[str]) -> None:
        if turn.cancelled():
            if turn in self._queues[purpose]:
                self._queues[purpose].remove(turn)
                self._waiting -= 1
        elif turn.result() == _GRANTED:
            self.give_back(purpose)
