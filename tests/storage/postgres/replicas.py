"""Several services on one database, whose machines' clocks are hours apart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from service.core.background import Background
from service.core.ports import Store
from service.storage.location import postgres_place
from service.storage.postgres.clock import machine_ticks
from service.storage.postgres.store import PostgresStore
from tests.core.conftest import CountingIds, Service, serving
from tests.core.scripted import ScriptedProvider

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SURELY = timedelta(seconds=15)
"""Longer than replicas' clocks can ever differ: what was due at one a moment ago is due at all after this."""

SHIFTS = (timedelta(0), HOUR, -HOUR, 10 * MINUTE, -10 * MINUTE)


class Future:
    """How much later it is for every replica than for the server."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)


class LaterClock:
    """A store's clock, as much later as a test says; it sleeps for no time."""

    def __init__(self, store: Store, future: Future) -> None:
        self._clock = store.clock
        self._future = future

    def now(self) -> datetime:
        return self._clock.now() + self._future.ahead

    async def sleep(self, delay: timedelta) -> None:
        await asyncio.sleep(0)


class Replicas:
    """Services that share a database, a provider and the time, and nothing else."""

    def __init__(self, services: Sequence[Service], future: Future) -> None:
        self.services = services
        self.future = future

    def events(self) -> list[str]:
        """Return what all of them have observed."""
        return [event for one in self.services for event in one.observations.events]

    async def sweep(self, *services: Service) -> None:
        """Let some of them, or else all, sweep at once, and wait for what that starts."""
        chosen = services or self.services
        await asyncio.gather(*(one.sweep.sweep() for one in chosen))
        await asyncio.gather(*(finished(one.background) for one in chosen))

    async def look(self, *services: Service) -> None:
        """Let some of them, or else all, look at each account at once."""
        looks = [
            account.look()
            for one in services or self.services
            for account in one.reconciliation.accounts
        ]
        await asyncio.gather(*looks)


async def finished(background: Background) -> None:
    """Return once nothing is left to do."""
    while background._tasks:
        await asyncio.gather(*background._tasks, return_exceptions=True)


@asynccontextmanager
async def replicas_on(
    url: str, provider: ScriptedProvider, shifts: Sequence[timedelta] = SHIFTS
) -> AsyncIterator[Replicas]:
    """Open a service for each machine, whose clock is off by a shift."""
    future, ids = Future(), CountingIds()
    async with AsyncExitStack() as opened:
        services = []
        for shift in shifts:
            store = await PostgresStore.open(postgres_place(url), ticks=_shifted(shift))
            opened.push_async_callback(store.close)
            clock: Any = LaterClock(store, future)
            services.append(await serving(store, clock, provider, ids))
        yield Replicas(services, future)


def _shifted(shift: timedelta) -> Any:  # noqa: ANN401 - a function
    off = shift // timedelta(microseconds=1)
    # Since a machine was started, no negative time has passed.
    begin = 10**13
    return lambda: begin + machine_ticks() + off
