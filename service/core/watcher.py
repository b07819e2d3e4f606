"""What waits to be told to one watcher."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.core.errors import WatcherTooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.core.conditions import Conditions
    from service.core.news import Told

BACKLOG = 1000
"""Most messages that wait. They are shared by all watchers, so this bounds how far one falls behind."""


LONGEST_BUSY = 2
"""How many ticks may pass while one message is written."""


class Watcher:
    """Hears what concerns it, and ends when it is too far behind.

    `is_quiet` says that nothing was told since somebody last set it. `is_busy` is set by whoever is writing what was
    told, and must not be for long.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.failure: Exception | None = None
        self.is_quiet = False
        self.is_busy = False
        self._busy_before = 0
        self._waiting: list[Told] = []
        self._news: asyncio.Future[None] | None = None
        self._cut: Callable[[], object] | None = None

    @property
    def has_news(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def hear(self, news: Sequence[Told]) -> None:
        """Be told something."""
        if len(self._waiting) + len(news) > BACKLOG:
            self.end(too_slow())
        elif self.failure is None:
            self.is_quiet = False
            self._waiting += news
            self._wake()

    def tick(self) -> None:
        """Note that some time has passed; a watcher that is busy with one message for long ends."""
        self._busy_before = self._busy_before + 1 if self.is_busy else 0
        if self._busy_before > LONGEST_BUSY:
            self.end(too_slow())

    def done(self) -> None:
        """Note that what was told is written."""
        self.is_busy, self._busy_before = False, 0

    def end(self, failure: Exception) -> None:
        """End for a cause, and let go of what waits."""
        if self.failure is not None:
            return
        self.failure = failure
        self._waiting = []
        self._wake()
        if self._cut is not None:
            self._cut()

    def when_ended(self, cut: Callable[[], object]) -> None:
        """Have `cut` called at the end: who is busy with telling does not look here."""
        self._cut = cut
        if self.failure is not None:
            cut()

    def check(self) -> None:
        """Raise why the watcher ended, if it has."""
        if self.failure is not None:
            # Others raise the very same one.
            raise self.failure.with_traceback(None)

    async def news(self) -> Sequence[Told]:
        """Return what waits, once something does. Raises why the watcher ended."""
        while not self._waiting:
            self.check()
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        news, self._waiting = self._waiting, []
        return news

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def too_slow() -> WatcherTooSlow:
    """Return what a watcher is told that does not read."""
    return WatcherTooSlow("the messages were not read in time")
