"""Whether this process should be given work, and gRPC health kept true to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from service.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.core.ports import Clock, Store

_INTERVAL = timedelta(seconds=2)


class Readiness:
    """Ready while the store answers and nobody has asked to stop."""

    def __init__(
        self, *, store: Store, clock: Clock, set_serving: Callable[[bool], Awaitable[None]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._set_serving = set_serving
        self._stopping = False
        self._serving = False

    async def reason(self) -> str | None:
        """Return why no work should come here; None while it may."""
        if self._stopping:
            return "stopping"
        try:
            await self._store.ping()
        except StoreUnavailable as error:
            return error.message[:1].lower() + error.message[1:].rstrip(".")
        return None

    async def watch(self) -> None:
        """Keep health true until cancelled."""
        while True:
            await self.update()
            await self._clock.sleep(_INTERVAL)

    async def update(self) -> None:
        """Set health to what is true now."""
        reason = await self.reason()
        serving = reason is None
        if serving != self._serving and not self._stopping:
            self._serving = serving
            await self._set_serving(serving)
            structlog.get_logger().info("health.changed", serving=serving, reason=reason)

    def stop(self) -> None:
        """Be ready no more."""
        self._stopping = True
