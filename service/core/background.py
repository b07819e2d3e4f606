"""Work that goes on when the caller goes away, and that a stop waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from service.core.errors import ShuttingDown

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import timedelta

T = TypeVar("T")


class Background:
    """A set of running tasks with a door that can be shut."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._shut = False

    def admit(self) -> None:
        """Raise ShuttingDown when no new work is taken."""
        if self._shut:
            raise ShuttingDown("this server is stopping")

    def start(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Run `work` to its end, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Marks the exception as seen: the caller may have gone, and the record holds the outcome.
            task.exception()

    async def drain(self, patience: timedelta) -> bool:
        """Take no new work and wait for what runs; tell whether all of it ended in time."""
        self._shut = True
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(self._tasks, timeout=patience.total_seconds())
        return not pending
