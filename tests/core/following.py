"""Watchers of a real store, and what they were told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from service.core.conditions import Conditions
from service.core.feed import Feed
from service.core.news import Told
from service.core.watch import WatchSessions
from service.core.watcher import Watcher
from tests.core.conftest import Service

PATIENCE = 20.0


class Stream:
    """One open watch."""

    def __init__(self, watcher: Watcher, messages: AsyncIterator[Sequence[Told]]) -> None:
        self.watcher = watcher
        self._messages = messages
        self._told: list[Told] = []

    async def next(self, patience: float | None = PATIENCE) -> Told:
        """Return the next message."""
        while not self._told:
            async with asyncio.timeout(patience):
                self._told += await anext(self._messages)
        return self._told.pop(0)

    async def until_checkpoint(self) -> list[Told]:
        """Return what comes before the next checkpoint, and the checkpoint."""
        found = [await self.next()]
        while found[-1].view is not None:
            found.append(await self.next())
        return found

    async def changes(self, number: int) -> list[Told]:
        """Return the next changes, without checkpoints."""
        found: list[Told] = []
        while len(found) < number:
            told = await self.next()
            if told.event is not None:
                found.append(told)
        return found

    async def until_version(self, version: int) -> list[Told]:
        """Return the next changes up to one that made a version."""
        found = await self.changes(1)
        while found[-1].event and found[-1].event.version < version:
            found += await self.changes(1)
        return found


class Watched:
    """The use case on the store of a service."""

    def __init__(self, service: Service, store: object = None, limit: int = 100) -> None:
        looked_at: Any = store or service.store
        clock, seen = service.clock, service.observations
        self.feed = Feed(store=looked_at, clock=clock, observer=seen, limit=limit)
        self.watch = WatchSessions(store=looked_at, clock=clock, feed=self.feed)

    @asynccontextmanager
    async def stream(
        self,
        cursor: str = "",
        **conditions: Any,  # noqa: ANN401 - any condition
    ) -> AsyncIterator[Stream]:
        """Open a watch, and close it on leaving."""
        async with (
            self.watch(Conditions(**conditions), cursor) as watch,
            aclosing(watch.messages()) as messages,
        ):
            yield Stream(watch.watcher, messages)


def names(told: Sequence[Told]) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return session, version and types of changes."""
    return [(t.event.session_id, t.event.version, t.event.types) for t in told if t.event]
