"""Event loops whose time passes at once: of itself as soon as everybody waits, or when a test says so."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: the time it was told to wait has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.waits = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass; a loop without any timer would wait for ever."""
        assert timeout is not None, "everybody waits for somebody else"
        self.now += max(timeout, 0.0)
        self.waits += timeout > 0
        return []


class ClockworkLoop(asyncio.SelectorEventLoop):
    """A loop for coroutines that wait for each other and for the time, and for nothing outside."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the time that has passed."""
        return self._clock.now

    @property
    def waits(self) -> int:
        """How often everybody waited for the time to pass."""
        return self._clock.waits


class Ahead:
    """Puts forward the time of a loop that works with the world outside: what waits for it is due at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._seconds = 0.0
        self._real = loop.time
        loop.time = self._time  # type: ignore[method-assign]

    def __call__(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._seconds += seconds

    def _time(self) -> float:
        return self._real() + self._seconds


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on such a loop."""
    loop = ClockworkLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
