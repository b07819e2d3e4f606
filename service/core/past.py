"""What happened before, read for those who come back; those who come back at once share it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from service.core.feed import BATCH
from service.core.news import News

if TYPE_CHECKING:
    from service.core.events import NumberedEvent
    from service.core.feed import Feed
    from service.core.ports import Store

_FRESH = 1.0
# Who comes back alone reads many parts in that time, each with all its sessions, and nobody else wants them.
_KEPT = 20
# Whoever catches up reads the store alone; whoever calls must not wait for all of them at once.
_AT_ONCE = 4


class Missed(Struct, frozen=True):
    """A part of what was missed, and the position after which it goes on."""

    news: News
    position: int


_Key = tuple[int, int]


class Past:
    """Reads changes that have been told to others, a batch at a time."""

    def __init__(self, *, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed
        self._readings: dict[_Key, asyncio.Task[Missed]] = {}
        self.turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def kept(self) -> int:
        """How many parts are kept for those who may ask for them next."""
        return len(self._readings)

    async def of_all(self, position: int, target: int) -> Missed:
        """Return changes of all sessions after a position, none of them after a target."""
        key = (position, target)
        known = self._readings.get(key)
        if known is None:
            known = asyncio.get_running_loop().create_task(self._read(position, target))
            known.add_done_callback(partial(self._finished, key))
            self._readings[key] = known
        # It is read on for the others when one of them leaves.
        return await asyncio.shield(known)

    async def of_one(self, session_id: str, position: int, target: int) -> Missed:
        """Return the changes of a session among as many."""
        return await self._read(position, target, session_id)

    async def _read(self, position: int, target: int, session_id: str = "") -> Missed:
        async with self.turns:
            found = await self._store.read_events(position, BATCH)
            events = [event for event in found if event.position <= target]
            views = await self._feed.views(_named(events, session_id))
        news = News(self._feed.store_id, events, views)
        return Missed(news, events[-1].position if events else target)

    def _finished(self, key: _Key, task: asyncio.Task[Missed]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._forget(key, task)
            return
        asyncio.get_running_loop().call_later(_FRESH, self._forget, key, task)
        done = [(key, one) for key, one in self._readings.items() if one.done()]
        for old in done[:-_KEPT]:
            self._forget(*old)

    def _forget(self, key: _Key, task: asyncio.Task[Missed]) -> None:
        if self._readings.get(key) is task:
            del self._readings[key]


def _named(events: list[NumberedEvent], session_id: str) -> set[str]:
    named = {event.session_id for event in events}
    return named & {session_id} if session_id else named
