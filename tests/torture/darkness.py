"""What services work with goes dark under load, and comes back: a provider, or the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random

import grpc
from msgspec import Struct

from tests.e2e.wire.requests import fresh_id
from tests.torture.audit import Audit
from tests.torture.calls import Refused, create, expire, is_serving
from tests.torture.campaign import PATIENCE, finish
from tests.torture.follower import following
from tests.torture.keeper import KeptServer
from tests.torture.lives import Life, Lives
from tests.torture.load import Load
from tests.torture.seller import CountingProvider, Moods
from tests.torture.stage import Stage

_CUSTOMERS, _ROOM = 5, 400
_LIGHT = 1.0
_LOOK_AGAIN = 0.1


class BlackOut(Struct, frozen=True):
    """What a black-out came to; `seconds_after` is how long the last customer of it still waited."""

    seconds: float
    waiting: int
    seconds_after: float
    audit: Audit


class DatabaseBlackOut(Struct, frozen=True):
    """What a black-out of the database came to: how long the slowest replica took to notice each change."""

    seconds: float
    seconds_until_not_serving: float
    seconds_until_serving: float
    audit: Audit


async def black_out(
    lives: Lives, provider: CountingProvider, *, seconds: float, seed: int
) -> BlackOut:
    """Let a provider go dark under load and come back, and audit what is left once all were answered."""
    stage = Stage()
    moods = Moods(provider, Random(seed))
    async with lives.life() as life, following(stage) as follower:
        load = Load(
            stage=stage,
            provider=provider,
            chance=Random(seed),
            per_second=_CUSTOMERS,
            room=_ROOM,
        )
        stage.enter(life)
        await asyncio.sleep(_LIGHT)
        provider.respond = moods.dark
        await asyncio.sleep(seconds)
        waiting, provider.respond = load.waiting, provider.opens
        back = time.monotonic()
        await load.finish(PATIENCE)
        seconds_after = time.monotonic() - back
        result = await finish(load, follower, provider, stage, lives.lease)
    return BlackOut(seconds, waiting, seconds_after, result)


async def black_out_database(
    replicas: Sequence[Lives],
    server: KeptServer,
    provider: CountingProvider,
    *,
    seed: int,
) -> DatabaseBlackOut:
    """Kill the database under load, once to come back at once, once to stay away, and audit what is left.

    It is away for half the lease of the replicas, as long as which an attempt remembers what it could not store.
    """
    seconds = replicas[0].lease.total_seconds() / 2
    provider.be_moody(Random(seed))
    stage = Stage()
    async with AsyncExitStack() as running:
        follower = await running.enter_async_context(following(stage))
        for lives in replicas:
            stage.enter(await running.enter_async_context(lives.life()))
        load = Load(
            stage=stage, provider=provider, chance=Random(seed), per_second=_CUSTOMERS, room=_ROOM
        )
        await asyncio.sleep(_LIGHT)
        await server.crash()
        await server.start()
        await _until(stage, serving=True)
        await asyncio.sleep(_LIGHT)
        await server.crash()
        dark = time.monotonic()
        noticed = await _until(stage, serving=False)
        await asyncio.gather(*(_is_refused(life) for life in stage.lives))
        await asyncio.sleep(max(dark + seconds - time.monotonic(), 0))
        await server.start()
        back = await _until(stage, serving=True)
        result = await finish(load, follower, provider, stage, replicas[0].lease)
    return DatabaseBlackOut(seconds, noticed, back, result)


async def _until(stage: Stage, *, serving: bool) -> float:
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        for life in stage.lives:
            while await is_serving(life) is not serving:
                await asyncio.sleep(_LOOK_AGAIN)
    return time.monotonic() - began


async def _is_refused(life: Life) -> None:
    refused = Refused(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "")
    assert await create(life, {"request_id": fresh_id()}) == refused
    assert await expire(life, "cs_00000000000000000000000000") == refused
