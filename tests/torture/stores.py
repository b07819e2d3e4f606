"""The stores that services die on: a file, which each service has for itself, or a database that replicas share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import asyncpg

from service.storage.migrate import migrate
from tests.torture.keeper import KeptServer
from tests.torture.lives import Lives
from tests.torture.nursery import Nursery
from tests.torture.victim import LEASE

SQLITE, POSTGRES = "sqlite", "postgres"
STORES = (SQLITE, POSTGRES)
"""Their names in the parameters of tests and in `TORTURE_STORE`."""

_REPLICAS = 3
_LOOK_AGAIN = 0.02
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

Tables = Mapping[str, Sequence[tuple[object, ...]]]


class Databases:
    """Migrated databases of one server, which are used again: each is some hundred files."""

    def __init__(self, server: KeptServer) -> None:
        self.server = server
        self._numbers = count(1)
        self._idle: list[str] = []
        self._migrated: dict[str, Tables] = {}

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """Provide the URL of a migrated database that holds nothing."""
        if not self._idle:
            self._idle.append(await self._made())
        url = self._idle.pop()
        yield url
        await self._empty(url)
        self._idle.append(url)

    async def _made(self) -> str:
        name = f"checkout_{next(self._numbers)}"
        async with connected(self.server.url()) as connection:
            await connection.execute(f"CREATE DATABASE {name}")
        url = self.server.url(name)
        # It has an event loop of its own.
        await asyncio.to_thread(migrate, url)
        async with connected(url) as connection:
            names = [row[0] for row in await connection.fetch(_TABLES)]
            self._migrated[url] = {
                name: [tuple(row) for row in await connection.fetch(f"SELECT * FROM {name}")]
                for name in names
            }
        return url

    async def _empty(self, url: str) -> None:
        async with connected(url) as connection:
            # What the dead have sent may still be at work.
            await connection.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
            while await connection.fetchval(f"SELECT count(*) {_OTHERS}"):
                await asyncio.sleep(_LOOK_AGAIN)
            for name, rows in self._migrated[url].items():
                await connection.execute(f"DELETE FROM {name}")
                await connection.copy_records_to_table(name, records=rows)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect once, beside every service."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def replicas(
    nursery: Nursery,
    folder: Path,
    settings: Mapping[str, str],
    url: str,
    *,
    lease: timedelta = LEASE,
) -> list[Lives]:
    """Return the places of services that share a database."""
    shared = {**settings, **stored_at(url)}
    folders = [folder / f"replica-{number}" for number in range(1, _REPLICAS + 1)]
    return [Lives(nursery, own, shared, lease=lease) for own in folders]


def stored_at(url: str) -> Mapping[str, str]:
    """Return the environment of a service with its store there."""
    return {"CHECKOUT_STORE_URL": url}
