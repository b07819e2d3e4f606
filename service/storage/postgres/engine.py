"""The connections: one pool that writes, one that reads, and each statement a transaction of its own."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import parse_qs, urlsplit

import asyncpg

from service.core.errors import StoreConflict, StoreUnavailable
from service.storage.connections import USUAL, Connections
from service.storage.location import PostgresPlace

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

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


async def _leave_as_it_is(_: object) -> None:
    # No statement leaves anything behind in its session: the round trip to clear it is saved.
    return


def unavailable(error: BaseException) -> StoreUnavailable:
    """Translate an error of the driver."""
    translated = StoreUnavailable("The store does not answer.")
    translated.__cause__ = error
    return translated


class Database:
    """Two pools, so that waiting for a read never waits for a write."""

    def __init__(
        self,
        *,
        writers: "asyncpg.Pool[asyncpg.Record]",
        readers: "asyncpg.Pool[asyncpg.Record]",
        patience: float,
    ) -> None:
        self._writers = writers
        self._readers = readers
        self._patience = patience
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @classmethod
    async def open(cls, place: PostgresPlace, connections: Connections) -> "Database":
        """Connect to a database."""
        async with AsyncExitStack() as opened:
            pools = []
            for size in (connections.writers, connections.readers):
                pool = asyncpg.create_pool(
                    # A floor would be restored, and complained about, for as long as the server is away.
                    min_size=0,
                    max_size=size,
                    reset=_leave_as_it_is,
                    server_settings=session_settings(place, connections),
                    **connection_options(place, connections),
                )
                pools.append(await opened.enter_async_context(pool))
            opened.pop_all()
        patience = connections.patience.total_seconds()
        return cls(writers=pools[0], readers=pools[1], patience=patience)

    async def write(self, statement: str, *arguments: object) -> object:
        """Run one statement to its end, whoever waits for it, and return its first value."""
        return await self._finished(self._write(statement, arguments))

    async def read(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of one statement."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        try:
            async with self._taken(self._readers) as connection:
                return await connection.fetch(statement, *arguments)
        except FAILURES as error:
            raise unavailable(error) from error

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
            raise unavailable(error) from error

    async def _once(self, statement: str, arguments: Sequence[object]) -> object:
        async with self._taken(self._writers) as connection:
            return await connection.fetchval(statement, *arguments)

    @asynccontextmanager
    async def _taken(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> "AsyncIterator[PoolConnectionProxy[asyncpg.Record]]":
        # A statement ends by its own time-out; without one here those who wait for a connection would pile up.
        try:
            async with asyncio.timeout(self._patience):
                connection = await pool.acquire()
        except TimeoutError as error:
            if pool.get_size() < pool.get_max_size() or pool.get_idle_size():
                raise
            raise StoreUnavailable("Every connection to the store is in use.") from error
        try:
            yield connection
        finally:
            await pool.release(connection, timeout=self._patience)
