"""Random kills under load, and a provider that goes dark under load: `make torture`."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from random import Random

from msgspec import Struct

from tests.torture.audit import Audit, audit
from tests.torture.calls import Session, listed
from tests.torture.lives import Life, Lives
from tests.torture.load import Load, Stage
from tests.torture.nursery import Nursery
from tests.torture.seller import CountingProvider, Moods
from tests.torture.trade import Trading
from tests.torture.victim import LEASE

_PATIENCE = 120.0
_SHORTEST, _LONGEST = 0.02, 0.4
_LAST_CALLS = 30.0
_LOOK_AGAIN = 0.1
_CUSTOMERS = 40
_CUSTOMERS_IN_THE_DARK = 5
_ROOM, _ROOM_IN_THE_DARK = 32, 400
_LIGHT = 1.0


class Kills(Struct, frozen=True):
    """What random kills came to."""

    total: int
    at_points: int
    audit: Audit


class BlackOut(Struct, frozen=True):
    """What a black-out came to; `seconds_after` is how long the last customer of it still waited."""

    seconds: float
    waiting: int
    seconds_after: float
    audit: Audit


async def kill_at_random(
    nursery: Nursery, provider: Trading, folder: Path, *, kills: int, seed: int
) -> Kills:
    """Kill a service under load again and again, then let it finish, and audit what is left."""
    chance, stage = Random(seed), Stage()
    provider.be_moody(Random(seed))
    lives = Lives(nursery, folder, provider.settings)
    load = Load(stage=stage, provider=provider, chance=chance, per_second=_CUSTOMERS, room=_ROOM)
    at_points, closing = 0, list[asyncio.Task[None]]()
    for number in range(1, kills + 1):
        point = (
            f"{chance.choice(provider.trade.points)}:{chance.randint(1, 6)}"
            if chance.random() < 0.5
            else ""
        )
        life = await lives.begin(point)
        # Not earlier: what the life before has sent may still be on its way.
        provider.life = number
        if life is None:
            at_points += 1
            continue
        stage.enter(life)
        at_points += await _dies(life, chance.uniform(_SHORTEST, _LONGEST))
        stage.leave()
        closing.append(asyncio.create_task(life.channel.close(_LAST_CALLS)))
    result = await _finish(lives, stage, load, provider)
    await asyncio.gather(*closing)
    return Kills(kills, at_points, result)


async def _dies(life: Life, patience: float) -> bool:
    try:
        return await life.death(patience) == -signal.SIGKILL
    except TimeoutError:
        assert await life.end() == -signal.SIGKILL
        return False


async def _finish(lives: Lives, stage: Stage, load: Load, provider: Trading) -> Audit:
    async with lives.life() as life:
        provider.life += 1
        stage.enter(life)
        await load.finish(_PATIENCE)
        result = audit(load, provider, await _settled(life, provider))
        assert await life.end(signal.SIGTERM) == 0
    return result


async def _settled(life: Life, provider: Trading) -> list[Session]:
    """Return all sessions once nothing is to be done about any, or all could have been when every lease was over."""
    until = time.monotonic() + LEASE.total_seconds() * 3
    while True:
        found = await listed(life)
        if not any(provider.trade.is_unsettled(session) for session in found):
            return found
        if time.monotonic() > until:
            return found
        await asyncio.sleep(_LOOK_AGAIN)


async def black_out(
    nursery: Nursery, provider: CountingProvider, folder: Path, *, seconds: float, seed: int
) -> BlackOut:
    """Let a provider go dark under load and come back, and audit what is left once all were answered."""
    stage = Stage()
    moods = Moods(provider, Random(seed))
    lives = Lives(nursery, folder, provider.settings)
    async with lives.life() as life:
        load = Load(
            stage=stage,
            provider=provider,
            chance=Random(seed),
            per_second=_CUSTOMERS_IN_THE_DARK,
            room=_ROOM_IN_THE_DARK,
        )
        stage.enter(life)
        await asyncio.sleep(_LIGHT)
        provider.respond = moods.dark
        await asyncio.sleep(seconds)
        waiting, provider.respond = load.waiting, provider.opens
        back = time.monotonic()
        await load.finish(_PATIENCE)
        seconds_after = time.monotonic() - back
        result = audit(load, provider, await _settled(life, provider))
        assert await life.end(signal.SIGTERM) == 0
    return BlackOut(seconds, waiting, seconds_after, result)
