"""Dying at a point, and waiting for what somebody makes of it afterwards."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import grpc
import pytest

from tests.torture.calls import TIMEOUT, Refused, Session, listed
from tests.torture.lives import Life, Lives
from tests.torture.stores import STORES
from tests.torture.victim import LEASE

on_both_stores = pytest.mark.parametrize("store", STORES, indirect=True)
"""What a death leaves, and what is made of it, is the same whatever the store."""

KILLED = -signal.SIGKILL
LEASE_OVER = LEASE.total_seconds()
TIME_OVER = 61.0
DEAD = Refused(grpc.StatusCode.UNAVAILABLE, "", "")


async def die(
    lives: Lives, point: str, call: Callable[[Life], Awaitable[object]], *, ahead: float = 0
) -> None:
    """Make a call in a process that is killed at a point by it."""
    async with lives.life(point, ahead=ahead) as life:
        await call(life)
        assert await life.death() == KILLED


async def dead(life: Life | None) -> None:
    """Wait until a service has killed itself, unless it has done so before it answered."""
    if not life:
        return
    try:
        assert await life.death() == KILLED
    finally:
        # One that goes on living would keep the next from beginning.
        await life.end()
        await life.channel.close()


async def settled(life: Life, is_settled: Callable[[Session], bool]) -> Session:
    """Wait until something holds of the only session."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            (session,) = await listed(life)
            if is_settled(session):
                return session
            await asyncio.sleep(0.02)


async def in_state(life: Life, state: int) -> Session:
    """Wait until the only session has a state."""
    return await settled(life, lambda session: session.state == state)
