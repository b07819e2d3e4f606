"""The connections: one thread that writes in groups, and readers that wait for nobody."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple, TypeVar, cast

from service.core.errors import StoreUnavailable
from service.storage.sqlite.guard import Guard

T = TypeVar("T")

# A group is what arrived while the last one was written; the limit only bounds its memory.
_GROUP_LIMIT = 512
_READERS = 2
_CHECKPOINT_PAGES = 4000
_STEPS_BETWEEN_LOOKS = 100_000


class Job(NamedTuple):
    """A unit of work, run entirely or not at all, and whom to tell."""

    unit: Callable[[sqlite3.Connection], object]
    future: "asyncio.Future[object]"


class Outcome(NamedTuple):
    """What came of a job."""

    future: "asyncio.Future[object]"
    result: object = None
    error: Exception | None = None


def connect(path: Path, *, mode: str) -> sqlite3.Connection:
    """Open a database file in the mode "rw" or "ro"."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=5,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open a database file for writing, with commits that survive a loss of power."""
    connection = connect(path, mode="rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except sqlite3.Error:
        # Python 3.13 complains of connections that nobody closed.
        connection.close()
        raise
    return connection


def unavailable(error: Exception) -> Exception:
    """Translate an error of the driver; every other one is the unit's own answer."""
    if not isinstance(error, sqlite3.Error):
        return error
    translated = StoreUnavailable(f"The store does not answer: {error}.")
    translated.__cause__ = error
    return translated


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction, if an error has not ended it."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Writer:
    """One thread and one connection that commit units of work in groups.

    A unit may run again after its transaction was rolled back.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, guard: Guard, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._loop = loop
        self._asked: list[Job] = []
        self._jobs: SimpleQueue[Sequence[Job] | None] = SimpleQueue()
        self._stopped: asyncio.Future[object] | None = None
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Return once the unit's commit is on disk, or raise what kept it from changing anything."""
        if self._stopped is not None:
            raise StoreUnavailable("The store is closed.")
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._asked:
            # To wake the thread for each job would cost more than most jobs do.
            self._loop.call_soon(self._hand_over)
        self._asked.append(Job(unit, future))
        return cast("T", await future)

    async def close(self) -> None:
        """Finish what is queued and close the connection."""
        self._stopped = self._loop.create_future()
        self._hand_over()
        self._jobs.put(None)
        await self._stopped
        self._thread.join()

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        if asked:
            self._jobs.put(asked)

    def _work(self) -> None:
        while jobs := self._next_group():
            self._tell(self._together(jobs) or self._one_by_one(jobs))
        self._connection.close()
        if self._stopped is not None:
            self._tell([Outcome(self._stopped)])

    def _next_group(self) -> list[Job]:
        group: list[Job] = []
        while (jobs := self._jobs.get()) is not None:
            group += jobs
            if self._jobs.empty() or len(group) >= _GROUP_LIMIT:
                return group
        if group:
            self._jobs.put(None)
        return group

    def _together(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Return nothing where the transaction was lost, and the jobs must run one by one."""
        if len(jobs) == 1:
            return []
        # Nearly always no unit fails: then none pays for a savepoint. Where one does, all begin anew.
        return self._in_one(jobs, self._plainly) or self._in_one(jobs, self._in_savepoint)

    def _in_one(self, jobs: Sequence[Job], run: Callable[[Job], Outcome]) -> list[Outcome]:
        if refused := self._begin(jobs):
            return refused
        try:
            outcomes = [run(job) for job in jobs]
            self._connection.execute("COMMIT")
        except Exception:  # noqa: BLE001 - told to whom it concerns when the units run again
            roll_back(self._connection)
            return []
        return outcomes

    def _begin(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Return how everybody who waits is refused where no transaction begins."""
        problem = self._guard.problem()
        try:
            if not problem:
                self._connection.execute("BEGIN IMMEDIATE")
                return []
        except sqlite3.Error as error:
            # Whoever else holds the database would make each group wait in turn, while more come than go.
            return [Outcome(job.future, error=self._failed(error)) for job in self._with_all(jobs)]
        return [Outcome(job.future, error=StoreUnavailable(problem)) for job in jobs]

    def _with_all(self, jobs: Sequence[Job]) -> list[Job]:
        everybody = list(jobs)
        while not self._jobs.empty():
            if (waiting := self._jobs.get()) is None:
                self._jobs.put(None)
                break
            everybody += waiting
        return everybody

    def _failed(self, error: Exception) -> Exception:
        self._guard.note(error)
        return unavailable(error)

    def _plainly(self, job: Job) -> Outcome:
        return Outcome(job.future, job.unit(self._connection))

    def _in_savepoint(self, job: Job) -> Outcome:
        connection = self._connection
        connection.execute("SAVEPOINT unit")
        try:
            result = job.unit(connection)
        except Exception as error:  # noqa: BLE001 - whatever a unit raises is its caller's
            # A full disk ends the whole transaction: this then fails, and the group runs again.
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
            return Outcome(job.future, error=self._failed(error))
        connection.execute("RELEASE unit")
        return Outcome(job.future, result)

    def _one_by_one(self, jobs: Sequence[Job]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for number, job in enumerate(jobs):
            if refused := self._begin(jobs[number:]):
                return outcomes + refused
            outcomes.append(self._alone(job))
        return outcomes

    def _alone(self, job: Job) -> Outcome:
        connection = self._connection
        try:
            result = job.unit(connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever a unit raises is its caller's
            roll_back(connection)
            return Outcome(job.future, error=self._failed(error))
        return Outcome(job.future, result)

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_settle, outcomes)


def _settle(outcomes: Sequence[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


class Readers:
    """Connections that see the newest commit without waiting for the writer."""

    def __init__(self, path: Path, *, guard: Guard) -> None:
        self._guard = guard
        self._connections = [connect(path, mode="ro") for _ in range(1 + _READERS)]
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in self._connections[1:]:
            # A look now and then, as an interruption would miss a read that is about to start.
            connection.set_progress_handler(lambda: self._closed, _STEPS_BETWEEN_LOOKS)
            self._idle.put(connection)
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._closed = False

    def look_up(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run look-ups by key on the caller's thread: they cost less than the way to another."""
        try:
            return read(self._connections[0])
        except sqlite3.Error as error:
            self._guard.note(error)
            raise unavailable(error) from error

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run reads of any length on one snapshot, away from the event loop."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._on_snapshot, read)

    def _on_snapshot(self, read: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._idle.get()
        try:
            connection.execute("BEGIN")
            return read(connection)
        except sqlite3.Error as error:
            self._guard.note(error)
            raise unavailable(error) from error
        finally:
            roll_back(connection)
            self._idle.put(connection)

    async def close(self) -> None:
        """Give up reads that run and close the connections."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for connection in self._connections:
            connection.close()
