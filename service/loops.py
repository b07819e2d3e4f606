"""Work that goes on beside calls for as long as the service runs, whatever happens to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from service.core.faults import fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.core.ports import Clock

PAUSE = timedelta(seconds=5)
"""Between a fault and the next beginning."""


async def keep_up(work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Do work until it ends or is cancelled; a fault of ours is noted, and it begins anew."""
    while True:
        try:
            await work()
        except Exception as bug:  # noqa: BLE001 - one session that cannot be read must not end the care for all
            structlog.get_logger().error("background.failed", **fault(bug))
            await clock.sleep(PAUSE)
        else:
            return
