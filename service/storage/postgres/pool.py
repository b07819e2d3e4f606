"""Connections to one database, opened as they are needed and lent to one statement at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

# Firewalls forget connections that nothing passes over.
_LONGEST_IDLE = 300.0


class EveryConnectionInUseError(Exception):
    """Nobody gave a connection back in time."""


class _Idle(NamedTuple):
    connection: "Connection"
    since: float


class Pool:
    """Lends each connection to one statement, and lets nobody wait for one longer than its patience.

    asyncpg's own pool does the same for twice the processor time that its connection needs for the statement.
    """

    def __init__(
        self, connect: "Callable[[], Awaitable[Connection]]", *, size: int, patience: timedelta
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience.total_seconds()
        self._places = asyncio.Semaphore(size)
        self._idle: deque[_Idle] = deque()
        self._lent = 0
        self._mending: set[asyncio.Task[None]] = set()

    async def fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of one statement, and raise what the driver does, or EveryConnectionInUseError."""
        connection = await self._taken()
        try:
            rows = await connection.fetch(statement, *arguments)
        except BaseException as error:
            self._take_back(connection, error)
            raise
        self._give(connection)
        return rows

    async def close(self) -> None:
        """Wait for what is lent and close every connection."""
        for _ in range(self._size):
            await self._places.acquire()
        while self._idle:
            await _closed(self._idle.pop().connection, self._patience)

    async def _taken(self) -> "Connection":
        if self._places.locked() or not self._idle:
            return await self._taken_in_time()
        # A place that is free is taken without waiting: whatever is idle is still there.
        await self._places.acquire()
        return await self._usable()

    async def _taken_in_time(self) -> "Connection":
        is_placed = False
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
                is_placed = True
                return await self._usable()
        except TimeoutError as error:
            # Places may also be held by those who try to connect.
            if is_placed or self._lent < self._size:
                raise
            raise EveryConnectionInUseError from error

    async def _usable(self) -> "Connection":
        try:
            connection = self._next_idle() or await self._connect()
        except BaseException:
            self._places.release()
            raise
        self._lent += 1
        return connection

    def _next_idle(self) -> "Connection | None":
        while self._idle:
            connection = self._idle.pop().connection
            if not connection.is_closed():
                return connection
        return None

    def _take_back(self, connection: "Connection", error: BaseException) -> None:
        if connection.is_closed() or _is_answer(error):
            self._give(connection)
            return
        task = asyncio.get_running_loop().create_task(self._mend(connection))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _mend(self, connection: "Connection") -> None:
        try:
            # The driver lets it wait until what was broken off is over.
            await connection.execute("SELECT 1", timeout=self._patience)
        except Exception:  # noqa: BLE001 - whatever it was, the connection is of no use
            connection.terminate()
        finally:
            self._give(connection)

    def _give(self, connection: "Connection") -> None:
        self._lent -= 1
        if not connection.is_closed():
            now = asyncio.get_running_loop().time()
            if self._idle and self._idle[0].since < now - _LONGEST_IDLE:
                # What is lent comes from the other end.
                self._idle.popleft().connection.terminate()
            self._idle.append(_Idle(connection, now))
        self._places.release()


def _is_answer(error: BaseException) -> bool:
    # The server says some of its errors last, and some when it has been told to break off.
    is_of_server = isinstance(error, asyncpg.PostgresError)
    return is_of_server and not isinstance(
        error, (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError)
    )


async def _closed(connection: "Connection", patience: float) -> None:
    try:
        await connection.close(timeout=patience)
    except Exception:  # noqa: BLE001 - it is to go, in order or not
        connection.terminate()
