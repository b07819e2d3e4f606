"""The stores that services die on: a file, which each service has for itself, or a database that replicas share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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

_TEMPLATE = "migrated"
_REPLICAS = 3


class Databases:
    """Databases of one server, each a copy of one that was migrated."""

    def __init__(self, server: KeptServer) -> None:
        self.server = server
        self._numbers = count(1)

    async def fresh(self) -> str:
        """Make a migrated database that holds nothing, and return its URL."""
        number = next(self._numbers)
        if number == 1:
            await self.run(f"CREATE DATABASE {_TEMPLATE}")
            # It has an event loop of its own.
            await asyncio.to_thread(migrate, self.server.url(_TEMPLATE))
        name = f"checkout_{number}"
        # By way of the log it takes five times as long.
        await self.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return self.server.url(name)

    async def run(self, statement: str) -> None:
        """Run a statement that concerns no database or all of them."""
        connection = await asyncpg.connect(self.server.url())
        try:
            await connection.execute(statement)
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
