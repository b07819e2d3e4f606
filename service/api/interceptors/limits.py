"""Which calls are taken at all: readable ones, and none while the server drains."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from service.core.errors import CheckoutError, ShuttingDown

if TYPE_CHECKING:
    from service.api.interceptors.base import Call, Proceed

# gRPC cancels, without a word, whatever is on its way to a server that closes: so first let callers
# hear that this one stops.
_QUIET = timedelta(milliseconds=50)
_LONGEST_WAIT_FOR_QUIET = timedelta(seconds=1)


class Limits:
    """Refuses unreadable messages, and new calls of our contracts while draining."""

    def __init__(self) -> None:
        self._is_draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._refused = asyncio.Event()

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Take the call or raise why not."""
        if isinstance(call.request, CheckoutError):
            raise call.request
        if not call.method.is_ours:
            return await proceed(call)
        if self._is_draining:
            self._refused.set()
            raise ShuttingDown("this server is stopping")
        self._in_flight += 1
        self._idle.clear()
        try:
            return await proceed(call)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    def turn_away(self) -> None:
        """Take no more calls."""
        self._is_draining = True

    async def drain(self, grace: timedelta) -> None:
        """Take no more calls and wait until the last has ended, or for `grace`, and none come in."""
        self.turn_away()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace.total_seconds()):
                await self._idle.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT_FOR_QUIET.total_seconds()):
                await self._quiet()

    async def _quiet(self) -> None:
        while True:
            self._refused.clear()
            try:
                async with asyncio.timeout(_QUIET.total_seconds()):
                    await self._refused.wait()
            except TimeoutError:
                return
