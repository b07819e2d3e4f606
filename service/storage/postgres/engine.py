"""The connections: one pool that writes, one that reads, and each statement a transaction of its own."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypedDict
from urllib.parse import parse_qs, urlsplit

import asyncpg

from service.core.errors import StoreConflict, StoreUnavailable
from service.storage.connections import USUAL, Connections
from service.storage.location import PostgresPlace
from service.storage.postgres.causes import what_failed
from service.storage.postgres.pool import EveryConnectionInUseError, Pool

CONFLICT = "CK001"
"""The code with which a statement undoes itself where it met another one."""

_PREPARED = 100
_ATTEMPTS = 5
# A statement whose client has died ends by itself, a moment after its client would have ended it.
_SERVERS_PATIENCE = timedelta(seconds=1)
# Each of these says that nothing was changed, and that the same statement may well succeed now.
_LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A connection that the server ended while nobody used it says so to whoever uses it next.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EveryConnectionInUseError,
)
"""What the driver raises where the database does not do what it is told."""


class ConnectionOptions(TypedDict):
    """How a database is connected to."""

    dsn: str
    timeout: float
    command_timeout: float | None
    statement_cache_size: int


def connection_options(place: PostgresPlace, connections: Connections = USUAL) -> ConnectionOptions:
    """Return how a place is connected to."""
    patience = connections.patience.total_seconds()
    return ConnectionOptions(
        dsn=place.dsn,
        timeout=patience,
        command_timeout=patience,
        # Between two statements a pooler may change the server that a prepared one is known to.
        statement_cache_size=0 if place.pooled else _PREPARED,
    )


def session_settings(place: PostgresPlace, connections: Connections) -> dict[str, str]:
    """Return what the server is told of each connection, except what the URL tells it."""
    settings = {"application_name": "checkout"}
    if not place.pooled:
        # A pooler refuses to pass these on: there they are set for the user or the database.
        milliseconds = (connections.patience + _SERVERS_PATIENCE) // timedelta(milliseconds=1)
        settings["statement_timeout"] = str(milliseconds)
        settings["idle_in_transaction_session_timeout"] = str(milliseconds)
    said = parse_qs(urlsplit(place.dsn).query)
    return {name: value for name, value in settings.items() if name not in said}


class Database:
    """Two pools, so that waiting for a read never waits for a write."""

    def __init__(self, place: PostgresPlace, connections: Connections) -> None:
        settings = session_settings(place, connections)
        options = connection_options(place, connections)
        connect = partial(asyncpg.connect, server_settings=settings, **options)
        self._patience = connections.patience
        self._writers = Pool(connect, size=connections.writers, patience=self._patience)
        self._readers = Pool(connect, size=connections.readers, patience=self._patience)
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    async def write(self, statement: str, *arguments: object) -> object:
        """Run one statement to its end, whoever waits for it, and return its first value."""
        return await self._finished(self._write(statement, arguments))

    async def read(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of one statement."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        try:
            return await self._readers.fetch(statement, *arguments)
        except FAILURES as error:
            raise StoreUnavailable(what_failed(error, self._patience)) from error

    async def close(self) -> None:
        """Finish accepted writes and close the connections."""
        if self._closed:
            return
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await self._readers.close()
        await self._writers.close()

    async def _finished(self, work: Coroutine[object, object, object]) -> object:
        if self._closed:
            work.close()
            raise StoreUnavailable("The store is closed.")
        # Whoever gives up waiting must not break off a statement that may be half-way to its commit.
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Marks the exception as seen: whoever waited for it may have left.
            task.exception()

    async def _write(self, statement: str, arguments: Sequence[object]) -> object:
        try:
            for _ in range(_ATTEMPTS - 1):
                with suppress(*_LOST_RACES):
                    return await self._once(statement, arguments)
            return await self._once(statement, arguments)
        except FAILURES as error:
            if getattr(error, "sqlstate", "") == CONFLICT:
                raise StoreConflict from error
            raise StoreUnavailable(what_failed(error, self._patience)) from error

    async def _once(self, statement: str, arguments: Sequence[object]) -> object:
        rows = await self._writers.fetch(statement, *arguments)
        return rows[0][0] if rows else None
