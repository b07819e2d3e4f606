"""The connections: what is acknowledged is stored, and nobody reading waits."""

import asyncio
import resource
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from service.core.errors import StoreUnavailable
from service.storage.sqlite.engine import Readers, Writer, connect_writer
from service.storage.sqlite.guard import Guard

Unit = Callable[[sqlite3.Connection], None]
COUNT = "SELECT count(*) FROM things"


class Refused(Exception):
    """What a unit raises on its own account."""


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """Make a database with one table."""
    path = tmp_path / "things.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE things (name TEXT PRIMARY KEY, weight BLOB NOT NULL)")
    return path


@pytest.fixture
def connection(things: Path) -> Iterator[sqlite3.Connection]:
    """Open the connection the writer gets; it may be closed by then."""
    with closing(connect_writer(things)) as opened:
        yield opened


@pytest.fixture
def guard(things: Path) -> Guard:
    """Return what watches the database."""
    return Guard(things)


@pytest.fixture
async def writer(connection: sqlite3.Connection, guard: Guard) -> AsyncIterator[Writer]:
    """Start a writer."""
    started = Writer(connection, guard=guard, loop=asyncio.get_running_loop())
    yield started
    await started.close()


@pytest.fixture
async def readers(
    things: Path, connection: sqlite3.Connection, guard: Guard
) -> AsyncIterator[Readers]:
    """Open readers."""
    opened = Readers(things, guard=guard)
    yield opened
    await opened.close()


def add(name: str, weight: int = 1) -> Unit:
    """Make the unit that inserts a thing."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO things VALUES (?, zeroblob(?))", (name, weight))

    return insert


@asynccontextmanager
async def busy(writer: Writer, unit: Unit | None = None) -> AsyncIterator[None]:
    """Keep the writer inside a unit, so that what is queued meanwhile makes one group."""
    entered, leave = threading.Event(), threading.Event()

    def wait(connection: sqlite3.Connection) -> None:
        if unit is not None:
            unit(connection)
        entered.set()
        leave.wait(10)

    running = asyncio.ensure_future(writer.run(wait))
    await asyncio.to_thread(entered.wait, 10)
    try:
        yield
    finally:
        leave.set()
        await running


async def in_one_group(writer: Writer, units: Sequence[Unit]) -> list[BaseException | None]:
    """Run units in one group, and return what each was answered."""
    async with busy(writer):
        runs = [asyncio.ensure_future(writer.run(unit)) for unit in units]
        await asyncio.sleep(0)
    return await asyncio.gather(*runs, return_exceptions=True)


def stored(path: Path) -> set[str]:
    """Read the names of all things on a connection of its own."""
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM things")}


def acknowledged(names: Sequence[str], answers: Sequence[BaseException | None]) -> set[str]:
    """Return the names whose units were answered without an error."""
    return {name for name, answer in zip(names, answers, strict=True) if answer is None}


def cause(answer: BaseException | None) -> BaseException | None:
    """Return what an answer came of."""
    return answer.__cause__ if answer else None


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_waits_is_committed_together(
    writer: Writer, connection: sqlite3.Connection
) -> None:
    """Units that arrive while the writer is busy share one commit."""
    statements: list[str] = []
    async with busy(writer):
        connection.set_trace_callback(statements.append)
        runs = [asyncio.ensure_future(writer.run(add(str(number)))) for number in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*runs)
    assert statements[-1] == "COMMIT"
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert sum(statement.startswith("INSERT") for statement in statements) == 50


async def test_what_was_asked_for_at_once_is_committed_together(
    writer: Writer, connection: sqlite3.Connection, things: Path
) -> None:
    """An idle writer too takes what one turn of the loop has asked for as one group."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    await asyncio.gather(*(writer.run(add(name)) for name in "abc"))
    connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 1
    assert stored(things) == {"a", "b", "c"}


async def test_what_was_asked_for_before_the_end_is_stored(
    connection: sqlite3.Connection, guard: Guard, things: Path
) -> None:
    """Closing finishes what was asked for in the same turn of the loop."""
    writer = Writer(connection, guard=guard, loop=asyncio.get_running_loop())
    running = asyncio.ensure_future(writer.run(add("last")))
    await asyncio.sleep(0)
    await asyncio.gather(writer.close(), running)
    assert stored(things) == {"last"}


async def test_nobody_is_answered_before_the_commit(writer: Writer, things: Path) -> None:
    """When the first of a group is answered, all of it can be read."""
    seen: list[set[str]] = []
    async with busy(writer):
        runs = [asyncio.ensure_future(writer.run(add(name))) for name in "abc"]
        runs[0].add_done_callback(lambda _: seen.append(stored(things)))
        await asyncio.sleep(0)
    await asyncio.gather(*runs)
    assert seen == [{"a", "b", "c"}]


async def test_broken_constraint_hurts_one_unit(writer: Writer, things: Path) -> None:
    """A unit that breaks a constraint in the middle of a group fails alone."""
    names = ["a", "b", "a", "c"]
    answers = await in_one_group(writer, [add(name) for name in names])
    assert [type(answer) for answer in answers] == [
        type(None),
        type(None),
        StoreUnavailable,
        type(None),
    ]
    assert isinstance(cause(answers[2]), sqlite3.IntegrityError)
    assert stored(things) == {"a", "b", "c"}


@pytest.mark.parametrize("companions", [0, 2])
async def test_unit_that_raises_changes_nothing(
    writer: Writer, things: Path, companions: int
) -> None:
    """What a unit raises is answered as it is, and its statements are undone."""

    def refuse(connection: sqlite3.Connection) -> None:
        add("refused")(connection)
        raise Refused

    others = [add(str(number)) for number in range(companions)]
    answers = await in_one_group(writer, [refuse, *others])
    assert isinstance(answers[0], Refused)
    assert answers[1:] == [None] * companions
    assert stored(things) == {str(number) for number in range(companions)}


async def test_full_database_in_mid_group(
    writer: Writer, connection: sqlite3.Connection, things: Path
) -> None:
    """When the space ends within a group, exactly what was acknowledged is stored."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    names = ["a", "b", "huge", "c", "large", "d"]
    weights = {"huge": 1_000_000, "large": 200_000}
    answers = await in_one_group(writer, [add(name, weights.get(name, 1)) for name in names])
    assert acknowledged(names, answers) == {"a", "b", "c", "d"}
    assert stored(things) == {"a", "b", "c", "d"}
    assert isinstance(answers[2], StoreUnavailable)
    assert getattr(cause(answers[2]), "sqlite_errorname", "") == "SQLITE_FULL"


async def test_file_that_cannot_grow_in_mid_group(writer: Writer, things: Path) -> None:
    """When the log cannot grow, exactly what was acknowledged is stored, and writing recovers."""
    names = [f"thing-{number}" for number in range(20)]
    log = things.with_name(f"{things.name}-wal")
    await writer.run(add("first"))
    with file_size_limit(log.stat().st_size + 60_000):
        answers = await in_one_group(writer, [add(name, 8_000) for name in names])
    written = acknowledged(names, answers)
    assert 0 < len(written) < len(names)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers if answer)
    assert stored(things) == {"first", *written}
    await writer.run(add("last"))
    assert stored(things) == {"first", "last", *written}


async def test_commit_that_fails_alone(writer: Writer, things: Path) -> None:
    """A single unit whose commit fails is answered so and leaves nothing."""
    await writer.run(add("first"))
    with file_size_limit(1), pytest.raises(StoreUnavailable):
        await writer.run(add("lost", 100_000))
    assert stored(things) == {"first"}


async def test_database_somebody_else_writes(
    writer: Writer, connection: sqlite3.Connection, things: Path
) -> None:
    """While another program holds the database, units fail; afterwards they do not."""
    connection.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(things, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        runs = [writer.run(add(name)) for name in "abc"]
        answers = await asyncio.gather(*runs, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        foreign.execute("ROLLBACK")
    await writer.run(add("d"))
    assert stored(things) == {"d"}


async def test_everybody_who_waits_for_a_held_database_is_told(
    writer: Writer, connection: sqlite3.Connection, things: Path
) -> None:
    """However many wait while another program holds the database, they wait once and not in turns."""
    connection.execute("PRAGMA busy_timeout = 500")
    tries: list[str] = []
    connection.set_trace_callback(tries.append)
    with closing(sqlite3.connect(things, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        runs = [asyncio.ensure_future(writer.run(add(str(number)))) for number in range(4000)]
        answers = await asyncio.gather(*runs, return_exceptions=True)
        foreign.execute("ROLLBACK")
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert len(tries) < 5
    assert stored(things) == set()


async def test_damaged_file_is_written_no_more(
    writer: Writer, readers: Readers, things: Path
) -> None:
    """Once a damage is found, by a read or a write, nothing is written any more, and what can be is read."""
    await writer.run(add("a"))
    damage = sqlite3.DatabaseError("database disk image is malformed")
    damage.sqlite_errorname = "SQLITE_CORRUPT_INDEX"

    def meet(connection: sqlite3.Connection) -> None:
        raise damage

    with pytest.raises(StoreUnavailable, match="does not answer: database disk image is malformed"):
        await readers.run(meet)
    with pytest.raises(StoreUnavailable, match="is damaged: database disk image is malformed"):
        await writer.run(add("b"))
    assert stored(things) == {"a"}


async def test_file_that_is_gone_is_not_written(writer: Writer, things: Path) -> None:
    """What would be written to a removed file would be lost: it is refused, until the file is back."""
    elsewhere = shutil.move(things, things.with_name("elsewhere.db"))
    with pytest.raises(StoreUnavailable, match="was removed"):
        await writer.run(add("a"))
    shutil.copy(elsewhere, things)
    with pytest.raises(StoreUnavailable, match="another file stands in its place"):
        await writer.run(add("b"))
    shutil.move(elsewhere, things)
    await writer.run(add("c"))
    assert stored(things) == {"c"}


async def test_reads_do_not_wait_for_a_write(writer: Writer, readers: Readers) -> None:
    """While a transaction is open, readers see the state before it; after it, the new one."""

    def count(connection: sqlite3.Connection) -> int:
        return int(connection.execute(COUNT).fetchone()[0])

    async with busy(writer, add("a")):
        assert readers.look_up(count) == 0
        assert await readers.run(count) == 0
    assert readers.look_up(count) == 1
    assert await readers.run(count) == 1


async def test_long_read_sees_one_state(writer: Writer, readers: Readers) -> None:
    """All statements of a read see the same commit."""
    loop = asyncio.get_running_loop()

    def count_twice(connection: sqlite3.Connection) -> tuple[int, int]:
        before = connection.execute(COUNT).fetchone()[0]
        asyncio.run_coroutine_threadsafe(writer.run(add("a")), loop).result()
        return before, connection.execute(COUNT).fetchone()[0]

    assert await readers.run(count_twice) == (0, 0)


async def test_readers_cannot_write(readers: Readers) -> None:
    """A reader that tries to write is refused by the engine."""
    with pytest.raises(StoreUnavailable):
        readers.look_up(add("a"))
    with pytest.raises(StoreUnavailable):
        await readers.run(add("a"))


async def test_closing_gives_up_reads(readers: Readers) -> None:
    """A read without end does not keep the store from closing."""
    started = threading.Event()

    def read_for_ever(connection: sqlite3.Connection) -> None:
        started.set()
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
        ).fetchall()

    reading = asyncio.ensure_future(readers.run(read_for_ever))
    await asyncio.to_thread(started.wait, 10)
    await readers.close()
    with pytest.raises(StoreUnavailable):
        await reading


async def test_caller_that_goes_away_harms_nobody(writer: Writer, things: Path) -> None:
    """A unit whose caller was cancelled still runs, and its group is answered."""
    async with busy(writer):
        runs = [asyncio.ensure_future(writer.run(add(name))) for name in "ab"]
        await asyncio.sleep(0)
        runs[0].cancel()
    await runs[1]
    assert stored(things) == {"a", "b"}


def test_loop_that_is_gone_harms_nobody(connection: sqlite3.Connection, things: Path) -> None:
    """The writer finishes what it accepted where the loop closed without it."""
    entered, leave = threading.Event(), threading.Event()

    def wait_and_add(connection: sqlite3.Connection) -> None:
        entered.set()
        leave.wait(10)
        add("a")(connection)

    async def go_away() -> Writer:
        writer = Writer(connection, guard=Guard(things), loop=asyncio.get_running_loop())
        call = asyncio.ensure_future(writer.run(wait_and_add))
        await asyncio.to_thread(entered.wait, 10)
        call.cancel()
        return writer

    writer = asyncio.run(go_away())
    leave.set()
    writer._jobs.put(None)
    writer._thread.join()
    assert stored(things) == {"a"}
