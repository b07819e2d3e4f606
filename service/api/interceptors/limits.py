"""Which calls are taken at all: readable ones, and none while the server drains."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from service.core.errors import CheckoutError, ShuttingDown

if TYPE_CHECKING:
    from datetime import timedelta

    from service.api.interceptors.base import Call, Proceed


class Limits:
    """Refuses unreadable messages, and new calls of our contracts while draining."""

    def __init__(self) -> None:
        self._is_draining = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Take the call or raise why not."""
        if isinstance(call.request, CheckoutError):
            raise call.request
        if not call.method.is_ours:
            return await proceed(call)
        if self._is_draining:
            raise ShuttingDown("this server is stopping")
        self._in_flight += 1
        self._idle.clear()
        try:
            return await proceed(call)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def drain(self, grace: timedelta) -> None:
        """Take no more calls and return when the last has ended, or after `grace`."""
        self._is_draining = True
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            return
