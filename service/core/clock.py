"""The real clock, ids and chance; everything else is handed them."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from service.core import base32

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 80


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, delay: timedelta) -> None:
        await asyncio.sleep(delay.total_seconds())


class RandomIds:
    """Ids of 48 bits of milliseconds and 80 random bits, in Crockford's base 32 like a ULID."""

    def session_id(self, now: datetime) -> str:
        millis = (now - _EPOCH) // timedelta(milliseconds=1)
        return "cs_" + base32.encode((millis << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def unguessable_ids() -> Callable[[], str]:
    """Return a source of fresh words that nobody can guess."""
    clock, ids = SystemClock(), RandomIds()
    return lambda: ids.session_id(clock.now()).removeprefix("cs_")


def chance() -> float:
    """Return a number from 0 to 1 that nobody guesses on purpose, to spread retries by."""
    return random.random()  # noqa: S311 - spreads load, keeps no secret
