"""Where customers find the services that live."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.torture.lives import Life


class Stage:
    """The services that take calls: one, none, or several on one store."""

    def __init__(self) -> None:
        self._lives: list[Life] = []
        self._entered = asyncio.Event()
        self._turn = 0

    @property
    def lives(self) -> list[Life]:
        """Those that take calls at this moment."""
        return list(self._lives)

    def enter(self, life: Life) -> None:
        """Let customers call a service."""
        self._lives.append(life)
        self._entered.set()

    def leave(self, life: Life) -> None:
        """Let customers call others, or wait for the next one."""
        with suppress(ValueError):
            self._lives.remove(life)
        if not self._lives:
            self._entered.clear()

    async def life(self, other_than: Life | None = None) -> Life:
        """Return a service once there is one, each in its turn; another one after a failure, where there is."""
        while not self._lives:
            await self._entered.wait()
        self._turn += 1
        others = [life for life in self._lives if life is not other_than] or self._lives
        return others[self._turn % len(others)]
