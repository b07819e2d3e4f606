"""Following sessions: how things stand, then every change, from any place on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from service.core import lifecycle
from service.core.cursors import Cursor, malformed, out_of_range, read_cursor
from service.core.errors import SessionNotFound
from service.core.feed import BATCH
from service.core.news import Told
from service.core.past import Past
from service.core.ports import SessionQuery
from service.core.view import SessionView

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from service.core.conditions import Conditions
    from service.core.feed import Feed
    from service.core.past import Missed
    from service.core.ports import Clock, Store
    from service.core.watcher import Watcher

_PAGE = 100


class WatchSessions:
    """Follows sessions."""

    def __init__(self, *, store: Store, clock: Clock, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self.feed = feed
        self._past = Past(store=store, feed=feed)

    @asynccontextmanager
    async def __call__(self, conditions: Conditions, cursor: str = "") -> AsyncIterator[Watch]:
        """Provide a watch, from a cursor or from a snapshot on; leaving it frees everything.

        Raises InvalidRequest, CursorOutOfRange, SessionNotFound, TooManyWatchers and ShuttingDown.
        """
        kept = read_cursor(cursor) if cursor else None
        if kept is not None and kept.mark not in {b"", conditions.mark()}:
            raise malformed("is of a snapshot with other conditions")
        watcher = await self.feed.admit(conditions)
        try:
            start, end = await self._start(conditions, kept)
            yield Watch(
                store=self._store,
                clock=self._clock,
                feed=self.feed,
                past=self._past,
                watcher=watcher,
                start=start,
                end=end,
            )
        finally:
            self.feed.dismiss(watcher)

    def close(self) -> None:
        """End every watch, and begin no more."""
        self.feed.shut()

    async def _start(self, conditions: Conditions, kept: Cursor | None) -> tuple[Cursor, int]:
        session_id = conditions.session_id
        if session_id and await self._store.find(session_id) is None:
            raise SessionNotFound("no session has this id", session_id=session_id)
        fresh = Cursor(self.feed.store_id, self.feed.position, mark=conditions.mark())
        if kept is not None and kept.store_id != fresh.store_id:
            raise out_of_range("other_store")
        start = kept or fresh
        await self._store.number_events(BATCH)
        return start, await _end(self._store, start.position)


class Watch:
    """One watcher's way through the snapshot and what it missed to what happens now.

    What had happened by the begin lies between `start` and `end`.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        feed: Feed,
        past: Past,
        watcher: Watcher,
        start: Cursor,
        end: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._past = past
        self._start = start
        self._end = end
        self.watcher = watcher

    async def messages(self) -> AsyncGenerator[Sequence[Told], None]:
        """Yield what is told, for as long as somebody asks. Raises why the watch ended."""
        if self._start.mark:
            async for page in self._snapshot():
                yield page
        position = self._start.position
        await self._feed.reach(self._end, self.watcher)
        # Nobody else runs between the last comparison and the begin of listening.
        while position < (target := self._feed.position):
            missed = await self._missed(position, target)
            if told := missed.news.under(self.watcher.conditions):
                yield told
            position = missed.position
        self._feed.listen(self.watcher)
        yield [Told(cursor=Cursor(self._feed.store_id, position))]
        while True:
            yield await self.watcher.news()

    async def _snapshot(self) -> AsyncGenerator[Sequence[Told], None]:
        conditions = self.watcher.conditions
        if conditions.session_id:
            for view in (await self._feed.views([conditions.session_id])).values():
                yield [self._found(view)]
            return
        before = self._start.before
        while states := conditions.snapshot_states():
            now = self._clock.now()
            query = SessionQuery(
                now=now,
                states=states,
                provider=conditions.provider,
                account=conditions.account,
                live=conditions.live,
                reference_id=conditions.reference_id,
                before=before,
                limit=_PAGE,
            )
            async with self._past.turns:
                found = await self._store.list_sessions(query)
            if found:
                yield [
                    self._found(SessionView(lifecycle.effective(one, now), now)) for one in found
                ]
            if len(found) < _PAGE:
                return
            before = found[-1].session_id

    def _found(self, view: SessionView) -> Told:
        start, before = self._start, view.session.session_id
        return Told(cursor=Cursor(start.store_id, start.position, before, start.mark), view=view)

    async def _missed(self, position: int, target: int) -> Missed:
        session_id = self.watcher.conditions.session_id
        if session_id:
            missed = await self._past.of_one(session_id, position, target)
        else:
            missed = await self._past.of_all(position, target)
        # Only now: what is forgotten while it is read would be left out.
        await _end(self._store, position)
        return missed


async def _end(store: Store, position: int) -> int:
    oldest, newest = await store.event_range()
    if position < oldest - 1:
        raise out_of_range("too_old")
    if position > newest:
        raise out_of_range("ahead")
    return newest
