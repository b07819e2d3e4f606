"""What stands before every call of an account: its circuit breaker, its budget, and who may go first."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, runtime_checkable

import structlog

from service.core.purpose import Purpose
from service.providers.answers import Answer, Lost
from service.providers.breaker import Breaker, BreakerState
from service.providers.budget import Budget, Rate
from service.providers.turns import LIMITED, Turns

BREAKER_OPEN = "breaker_open"
FAIR_WAIT = 1.0
"""A caller in a hurry says nothing of the provider: to connect takes longer only where something is wrong."""

_UNREACHABLE = frozenset({"dns", "connect_failed", "tls"})
_ANSWERED = frozenset({"redirect", "body_too_large"})

_CLOSED = BreakerState.CLOSED

Outcome = Answer | Lost


@runtime_checkable
class Watch(Protocol):
    """Who wants to know of an account's guard, beside how its calls end."""

    def breaker(self, state: BreakerState, /) -> None:
        """Note a change of the breaker."""

    def waited(self, purpose: Purpose, seconds: float, /) -> None:
        """Note that a call could not be sent at once."""


class Passage:
    """One call on its way through the guard, with all its attempts."""

    __slots__ = ("began", "purpose", "ticket")

    def __init__(self, purpose: Purpose, now: float) -> None:
        self.purpose = purpose
        self.ticket = 0
        self.began = now


class Guard:
    """Lets the calls of one account through, and learns from how they end.

    `enter` and `leave` enclose an attempt, `settle` ends a call: the breaker counts calls, the budget attempts.
    """

    def __init__(
        self,
        *,
        provider: str,
        account: str,
        connections: int,
        rate: Rate | None,
        connect_timeout: float,
        chance: Callable[[], float],
        watch: Watch | None,
    ) -> None:
        self._fair_wait = min(FAIR_WAIT, 0.9 * connect_timeout)
        self._breaker = Breaker(chance=chance)
        self._budget = Budget(connections=connections, rate=rate, chance=chance)
        self._turns = Turns(self._budget)
        self._watch = watch
        self._told = _CLOSED
        self._is_closed = False
        self._log = structlog.get_logger().bind(provider=provider, account=account)

    async def enter(self, passage: Passage, until: float) -> Lost | None:
        """Return nothing once an attempt may be sent, or why none may before a time of the loop."""
        breaker = self._breaker
        now = asyncio.get_running_loop().time() if passage.ticket else passage.began
        if not breaker.admits(passage.ticket, now):
            return self._refused(now)
        if not self._turns.take(passage.purpose, now):
            lost = await self._wait(passage.purpose, until)
            if lost is not None:
                return lost
            now = asyncio.get_running_loop().time()
            if not breaker.admits(passage.ticket, now):
                self._turns.give_back(passage.purpose)
                return self._refused(now)
        if not passage.ticket:
            passage.ticket = breaker.take(now)
            if breaker.state is not self._told:
                self._tell()
        passage.began = now
        return None

    def leave(self, passage: Passage, outcome: Outcome | None) -> None:
        """End an attempt that was let through; without an outcome it was given up."""
        if isinstance(outcome, Answer):
            if outcome.status == 429:
                self._limited(passage, outcome)
            else:
                self._budget.answered()
        self._turns.end(passage.purpose)

    def settle(self, passage: Passage, outcome: Outcome | None) -> None:
        """End a call: whatever became of its last attempt counts."""
        breaker = self._breaker
        if breaker.state is _CLOSED and isinstance(outcome, Answer) and outcome.status < 500:
            breaker.succeeded(passage.ticket)
        elif passage.ticket and not self._is_closed:
            self._judge(passage, outcome, asyncio.get_running_loop().time())

    def close(self) -> None:
        """Send away who waits, and learn nothing from calls that are given up."""
        self._is_closed = True
        self._turns.close()

    def _judge(self, passage: Passage, outcome: Outcome | None, now: float) -> None:
        breaker = self._breaker
        before, since = breaker.state, breaker.open_for(now)
        verdict = _is_well(outcome, waited_long=now - passage.began >= self._fair_wait)
        if verdict is None:
            breaker.dropped(passage.ticket, now)
        elif verdict:
            breaker.succeeded(passage.ticket)
        else:
            breaker.failed(passage.ticket, now)
        if breaker.state is not before:
            self._tell()
            self._note(before, since, outcome, now)

    async def _wait(self, purpose: Purpose, until: float) -> Lost | None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        lost = await self._turns.wait(purpose, until)
        if self._watch is not None:
            self._watch.waited(purpose, loop.time() - began)
        return lost

    def _refused(self, now: float) -> Lost:
        wait = timedelta(seconds=self._breaker.wait(now))
        return Lost(BREAKER_OPEN, sent=False, retry_after=wait)

    def _limited(self, passage: Passage, answer: Answer) -> None:
        asked = None if answer.retry_after is None else answer.retry_after.total_seconds()
        pause = self._budget.limited(passage.began, asyncio.get_running_loop().time(), asked)
        if pause:
            self._log.warning("provider.paused", seconds=round(pause, 3))

    def _tell(self) -> None:
        self._told = self._breaker.state
        if self._watch is not None:
            self._watch.breaker(self._breaker.state)

    def _note(
        self, before: BreakerState, since: float, outcome: Outcome | None, now: float
    ) -> None:
        if self._breaker.state is BreakerState.CLOSED:
            self._log.info("provider.breaker_closed", seconds=round(since, 3))
        elif before is BreakerState.CLOSED:
            pause = round(self._breaker.wait(now), 3)
            self._log.warning("provider.breaker_opened", cause=_named(outcome), pause=pause)


def is_limit(lost: Lost) -> bool:
    """Tell whether nothing was sent because too much was asked of the provider already."""
    return not lost.sent and lost.cause == LIMITED


def is_refusal(lost: Lost) -> bool:
    """Tell whether the guard itself let nothing be sent."""
    return not lost.sent and lost.cause in {LIMITED, BREAKER_OPEN}


def _is_well(outcome: Outcome | None, *, waited_long: bool) -> bool | None:
    """Judge the provider by how a call ended; None where that says nothing of it."""
    match outcome:
        case None:
            return None
        case Answer():
            return outcome.status < 500
        case Lost(sent=True):
            return outcome.cause in _ANSWERED
        case Lost(cause="connect_timeout"):
            return False if waited_long else None
        case Lost():
            return False if outcome.cause in _UNREACHABLE else None


def _named(outcome: Outcome | None) -> str:
    if isinstance(outcome, Answer):
        return f"status_{outcome.status}"
    return outcome.cause if outcome else ""
