"""The server's time, kept on this machine between two measurements of it: no replica's own clock decides anything."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg

from service.core.errors import StoreUnavailable
from service.storage.rows import moment

_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_EVERY = 1.0
_FIRST_MEASUREMENTS = 3
# Machines' oscillators are off by less than 200 parts in a million.
_STEPS_PER_DRIFT = 5000
# Elsewhere than on Linux a machine that sleeps is late until the next measurement.
_TICKING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Reading(Protocol):
    """What is asked for the time."""

    async def read(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of one statement."""


def machine_ticks() -> int:
    """Return microseconds that go on evenly, whoever sets the machine's clock, and also while it sleeps."""
    return time.clock_gettime_ns(_TICKING) // 1000


class ServerClock:
    """Tells the server's time, off by half of the shortest recent round trip at most."""

    def __init__(self, ticks: Callable[[], int] = machine_ticks) -> None:
        self._ticks = ticks
        self._low = self._high = self._learnt = 0

    @property
    def error(self) -> timedelta:
        """By how much the time may be off."""
        width = self._high - self._low + 2 * self._drift(self._ticks())
        return timedelta(microseconds=width) / 2

    def now(self) -> datetime:
        return moment(self._ticks() + (self._low + self._high) // 2)

    async def sleep(self, delay: timedelta) -> None:
        await asyncio.sleep(delay.total_seconds())

    async def begin(self, database: Reading) -> None:
        """Measure until the time is known well. Raises StoreUnavailable."""
        for _ in range(_FIRST_MEASUREMENTS):
            await self.measure(database)

    async def keep(self, database: Reading) -> None:
        """Measure again and again until cancelled; a server that is away is waited for."""
        while True:
            await asyncio.sleep(_EVERY)
            with suppress(StoreUnavailable):
                await self.measure(database)

    async def measure(self, database: Reading) -> None:
        """Ask once for the time. Raises StoreUnavailable."""
        asked = self._ticks()
        ((told,),) = await database.read(_NOW)
        self.learn(asked, told, self._ticks())

    def learn(self, asked: int, told: int, answered: int) -> None:
        """Take in that the server told a time at some moment between two of this machine."""
        drift = self._drift(answered)
        low = max(told - answered, self._low - drift)
        high = min(told - asked, self._high + drift)
        if low > high or not self._learnt:
            # The first word, or the server's clock was set, or another server has taken its place.
            low, high = told - answered, told - asked
        self._low, self._high, self._learnt = low, high, answered

    def _drift(self, at: int) -> int:
        return (at - self._learnt) // _STEPS_PER_DRIFT
