"""Random kills under load, of one service or of replicas on one store."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random

from msgspec import Struct

from tests.torture.audit import Audit, audit
from tests.torture.calls import Session, listed
from tests.torture.follower import Follower, following
from tests.torture.lives import Life, Lives
from tests.torture.load import Load
from tests.torture.stage import Stage
from tests.torture.trade import Trading
from tests.torture.victim import LEASE

PATIENCE = 120.0
_SHORTEST, _LONGEST = 0.02, 0.4
_LAST_CALLS = 30.0
_LOOK_AGAIN = 0.1
_CUSTOMERS, _ROOM = 40, 32


class Kills(Struct, frozen=True):
    """What random kills came to."""

    total: int
    at_points: int
    audit: Audit


async def kill_at_random(
    replicas: Sequence[Lives], provider: Trading, *, kills: int, seed: int
) -> Kills:
    """Kill services under load again and again, then let them finish, and audit what is left."""
    chance, stage = Random(seed), Stage()
    provider.be_moody(Random(seed))
    load = Load(stage=stage, provider=provider, chance=chance, per_second=_CUSTOMERS, room=_ROOM)
    # Replicas begin at once and share the machine: to be of use to anybody each must live longer.
    killing = _Killing(stage, provider, chance, kills, _LONGEST * len(replicas) ** 2)
    async with AsyncExitStack() as running:
        follower = await running.enter_async_context(following(stage))
        await asyncio.gather(*(killing.go_on(lives) for lives in replicas))
        for lives in replicas:
            life = await running.enter_async_context(lives.life(settings=killing.next_settings()))
            stage.enter(life)
        result = await finish(load, follower, provider, stage, LEASE)
    await killing.close()
    return Kills(kills, killing.at_points, result)


class _Killing:
    def __init__(
        self, stage: Stage, provider: Trading, chance: Random, kills: int, longest: float
    ) -> None:
        self.at_points = 0
        self._stage = stage
        self._provider = provider
        self._chance = chance
        self._left = kills
        self._longest = longest
        self._number = 0
        self._closing: list[asyncio.Task[None]] = []

    async def go_on(self, lives: Lives) -> None:
        while self._left:
            self._left -= 1
            await self._once(lives)

    async def _once(self, lives: Lives) -> None:
        chance, point = self._chance, ""
        if chance.random() < 0.5:
            point = f"{chance.choice(self._provider.trade.points)}:{chance.randint(1, 3)}"
        life = await lives.begin(point, settings=self.next_settings())
        if life is None:
            self.at_points += 1
            return
        self._stage.enter(life)
        self.at_points += await _dies(life, chance.uniform(_SHORTEST, self._longest))
        self._stage.leave(life)
        self._closing.append(asyncio.create_task(life.channel.close(_LAST_CALLS)))

    def next_settings(self) -> dict[str, str]:
        self._number += 1
        return self._provider.settings_of(self._number)

    async def close(self) -> None:
        await asyncio.gather(*self._closing)


async def _dies(life: Life, patience: float) -> bool:
    try:
        return await life.death(patience) == -signal.SIGKILL
    except TimeoutError:
        assert await life.end() == -signal.SIGKILL
        return False


async def finish(
    load: Load, follower: Follower, provider: Trading, stage: Stage, lease: timedelta
) -> Audit:
    """Let nobody else arrive, wait until everybody was answered and nothing is left to be done, and audit."""
    await load.finish(PATIENCE)
    first, *others = stage.lives
    found = await _settled(first, provider, lease)
    mistold = await follower.finish(first, found)
    result = audit(load, provider, found, changes=follower.changes, mistold=mistold)
    for other in others:
        assert await listed(other) == found, "replicas tell different things"
    for life in stage.lives:
        assert await life.end(signal.SIGTERM) == 0
    return result


async def _settled(life: Life, provider: Trading, lease: timedelta) -> list[Session]:
    """Return all sessions once nothing is to be done about any, or all could have been when every lease was over."""
    until = time.monotonic() + lease.total_seconds() * 3
    while True:
        found = await listed(life)
        if not any(provider.trade.is_unsettled(session) for session in found):
            return found
        if time.monotonic() > until:
            return found
        await asyncio.sleep(_LOOK_AGAIN)
