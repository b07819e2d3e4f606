"""The connections: one pool that writes, one that reads, and each statement a transaction of its own."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, TypedDict

import asyncpg

from service.core.errors import StoreConflict, StoreUnavailable
from service.storage.location import PostgresPlace

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

CONFLICT = "CK001"
"""The code with which a statement undoes itself where it met another one."""

_WRITERS = 8
_READERS = 4
_PREPARED = 100
_PATIENCE = 5.0
_ATTEMPTS = 5
# Each of these says that nothing was changed, and that the same statement may well succeed now.
_LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What the driver raises where the database does not do what it is told."""


class ConnectionOptions(TypedDict):
    """How a database is connected to."""

    dsn: str
    timeout: float
    command_timeout: float | None
    statement_cache_size: int


def connection_options(place: PostgresPlace) -> ConnectionOptions:
    """Return how a place is connected to."""
    return ConnectionOptions(
        dsn=place.dsn,
        timeout=_PATIENCE,
        command_timeout=_PATIENCE,
        # Between two statements a pooler may change the server that a prepared one is known to.
        statement_cache_size=0 if place.pooled else _PREPARED,
    )


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
        self, *, writers: "asyncpg.Pool[asyncpg.Record]", readers: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        self._writers = writers
        self._readers = readers
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @classmethod
    async def open(cls, place: PostgresPlace) -> "Database":
        """Connect to a database."""
        async with AsyncExitStack() as opened:
            pools = []
            for size in (_WRITERS, _READERS):
                pool = asyncpg.create_pool(
                    min_size=1,
                    max_size=size,
                    reset=_leave_as_it_is,
                    **connection_options(place),
                )
                pools.append(await opened.enter_async_context(pool))
            opened.pop_all()
        return cls(writers=pools[0], readers=pools[1])

    async def write(self, statement: str, *arguments: object) -> object:
        """Run one statement to its end, whoever waits for it, and return its first value."""
        return await self._finished(self._write(statement, arguments))

    async def read(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of one statement."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        try:
            connection = await _taken(self._readers)
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await self._readers.release(connection, timeout=_PATIENCE)
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
        connection = await _taken(self._writers)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await self._writers.release(connection, timeout=_PATIENCE)


async def _taken(pool: "asyncpg.Pool[asyncpg.Record]") -> "PoolConnectionProxy[asyncpg.Record]":
    # A statement ends by its own time-out; without one here those who wait for a connection would pile up.
    async with asyncio.timeout(_PATIENCE):
        return await pool.acquire()
