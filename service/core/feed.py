"""The one follower of all changes in a process, which tells every watcher what concerns it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from service.core import lifecycle
from service.core.conditions import Conditions
from service.core.cursors import Cursor, out_of_range
from service.core.errors import ShuttingDown, StoreUnavailable, TooManyWatchers
from service.core.faults import fault
from service.core.news import News, Told
from service.core.view import SessionView
from service.core.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from service.core.events import NumberedEvent
    from service.core.ports import Clock, Observer, Store

PAUSE = timedelta(milliseconds=50)
"""Between two looks at the store, while anybody watches."""

BATCH = 200
"""Most changes that are read at once."""

CHECKPOINT = timedelta(seconds=15)
"""How often watchers that were told nothing in between are told where they stand."""

PATIENCE = timedelta(seconds=5)
"""How long the store may be away before watchers are sent away."""

_SHORT_PAUSE = PAUSE / 10


class Feed:
    """Reads the store's changes while anybody watches, and does nothing otherwise."""

    def __init__(self, *, store: Store, clock: Clock, observer: Observer, limit: int) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._limit = limit
        self.watchers: set[Watcher] = set()
        """Everybody who is admitted."""
        self._of_session: defaultdict[str, set[Watcher]] = defaultdict(set)
        self._of_many: defaultdict[Conditions, set[Watcher]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._is_shut = False
        self._is_failing = False
        self._is_end_wanted = False
        self._answered = self._checkpoint_due = clock.now()
        self.store_id = b""
        self.position = 0
        """All up to here was told to those who listen."""

    @property
    def is_running(self) -> bool:
        """Whether the store is being looked at."""
        return self._task is not None

    async def admit(self, conditions: Conditions) -> Watcher:
        """Return a new watcher, which is told nothing before it listens.

        The feed runs from now on, until all have been dismissed. Raises ShuttingDown, TooManyWatchers.
        """
        if self._is_shut:
            raise _shutting_down()
        if len(self.watchers) >= self._limit:
            limit = str(self._limit)
            raise TooManyWatchers("too many streams are open", metadata={"limit": limit})
        watcher = Watcher(conditions)
        self.watchers.add(watcher)
        try:
            await self._start()
        except BaseException:
            self.dismiss(watcher)
            raise
        return watcher

    async def reach(self, end: int, watcher: Watcher) -> None:
        """Return once `position` is there. Raises why the watcher ended meanwhile."""
        while self.position < end:
            watcher.check()
            # The last positions may be of entries that are no news: only the store knows how far they go.
            self._is_end_wanted = True
            await self._clock.sleep(_SHORT_PAUSE)

    def listen(self, watcher: Watcher) -> None:
        """Tell a watcher whatever comes after `position`."""
        if watcher in self.watchers:
            self._group(watcher.conditions).add(watcher)

    def dismiss(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        self.watchers.discard(watcher)
        conditions = watcher.conditions
        group = self._group(conditions)
        group.discard(watcher)
        if not group:
            self._of_session.pop(conditions.session_id, None)
            self._of_many.pop(conditions, None)

    def shut(self) -> None:
        """End every watcher and admit no more."""
        self._is_shut = True
        self._end_all(_shutting_down())

    async def views(self, session_ids: Iterable[str]) -> dict[str, SessionView]:
        """Return sessions as they read now, by id, without those that are gone."""
        found = await self._store.find_sessions(list(session_ids))
        now = self._clock.now()
        return {
            session.session_id: SessionView(lifecycle.effective(session, now), now)
            for session in found
        }

    async def _start(self) -> None:
        async with self._starting:
            if self._task is not None:
                return
            self.store_id = await self._store.store_id()
            # What nobody watched is no news: it is numbered before the first position is taken.
            while await self._store.number_events(BATCH) == BATCH:
                pass
            _, self.position = await self._store.event_range()
            self._answered, self._is_failing = self._clock.now(), False
            self._checkpoint_due = self._answered + CHECKPOINT
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self.watchers:
                is_full = await self._look()
                await self._clock.sleep(_SHORT_PAUSE if is_full else PAUSE)
        except Exception as bug:  # noqa: BLE001 - whoever waits for what will not come must be told
            self._observer.noted("watch.broken", **fault(bug))
            self._end_all(bug)
        finally:
            self._task = None

    async def _look(self) -> bool:
        try:
            is_full = await self._read()
        except StoreUnavailable as error:
            self._failed(error)
            return False
        self._answered, self._is_failing = self._clock.now(), False
        return is_full

    async def _read(self) -> bool:
        await self._store.number_events(BATCH)
        is_due = self._clock.now() >= self._checkpoint_due
        end = self.position
        if is_due or self._is_end_wanted or self._is_failing:
            # The end is read first: what is not found after it is nowhere below it either.
            self._is_end_wanted = False
            _, end = await self._store.event_range()
        if end < self.position:
            # The store is an older copy of itself: what it tells from now on stands below what was told already.
            self._end_all(out_of_range("ahead"))
            return False
        events = await self._store.read_events(self.position, BATCH)
        if events:
            views = await self._views_of(events)
            self._tell(News(self.store_id, events, views))
            self.position = events[-1].position
        else:
            self.position = end
        if is_due:
            self._tell_position()
        return len(events) == BATCH

    async def _views_of(self, events: Sequence[NumberedEvent]) -> dict[str, SessionView]:
        views: dict[str, SessionView] = {}
        asked: set[str] = set()
        # Somebody may begin to listen while sessions are read.
        while wanted := self._wanted(events) - asked:
            asked |= wanted
            views |= await self.views(wanted)
        return views

    def _wanted(self, events: Sequence[NumberedEvent]) -> set[str]:
        named = {event.session_id for event in events}
        return named if self._of_many else named & self._of_session.keys()

    def _tell(self, news: News) -> None:
        for conditions, group in self._groups(news.session_ids):
            if told := news.under(conditions):
                for watcher in group:
                    watcher.hear(told)

    def _tell_position(self) -> None:
        self._checkpoint_due = self._clock.now() + CHECKPOINT
        for watcher in list(self.watchers):
            watcher.tick()
        told = [Told(cursor=Cursor(self.store_id, self.position))]
        groups = (*self._of_session.values(), *self._of_many.values())
        for watcher in chain.from_iterable(groups):
            if watcher.is_quiet:
                watcher.hear(told)
            watcher.is_quiet = True

    def _failed(self, error: StoreUnavailable) -> None:
        if not self._is_failing:
            self._is_failing = True
            self._observer.noted("watch.failed", reason=error.reason)
        if self._clock.now() - self._answered > PATIENCE:
            self._end_all(error)

    def _end_all(self, failure: Exception) -> None:
        for watcher in list(self.watchers):
            watcher.end(failure)

    def _group(self, conditions: Conditions) -> set[Watcher]:
        if conditions.session_id:
            return self._of_session[conditions.session_id]
        return self._of_many[conditions]

    def _groups(self, session_ids: AbstractSet[str]) -> Iterator[tuple[Conditions, set[Watcher]]]:
        for session_id in session_ids & self._of_session.keys():
            yield Conditions(session_id=session_id), self._of_session[session_id]
        yield from self._of_many.items()


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("this server is stopping")
