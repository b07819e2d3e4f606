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
# Streams are told to end, and one that nobody reads must not keep the others waiting.
_LONGEST_WAIT_FOR_STREAMS = timedelta(seconds=1)


class _InFlight:
    def __init__(self) -> None:
        self._number = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        self._number += 1
        self._idle.clear()

    def end(self) -> None:
        self._number -= 1
        if not self._number:
            self._idle.set()

    async def wait(self, patience: timedelta) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await self._idle.wait()


class Limits:
    """Refuses unreadable messages, and new calls of our contracts while draining."""

    def __init__(self) -> None:
        self._is_draining = False
        self._calls, self._streams = _InFlight(), _InFlight()
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
        running = self._streams if call.method.is_stream else self._calls
        running.begin()
        try:
            return await proceed(call)
        finally:
            running.end()

    def turn_away(self) -> None:
        """Take no more calls."""
        self._is_draining = True

    async def drain(self, grace: timedelta) -> None:
        """Take no more calls and wait until the last has ended, or for `grace`, and none come in.

        Streams end by themselves; those that do not are left to themselves.
        """
        self.turn_away()
        await self._calls.wait(grace)
        await self._streams.wait(min(grace, _LONGEST_WAIT_FOR_STREAMS))
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
