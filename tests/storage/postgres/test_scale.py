"""The page on PostgreSQL at scale: its statements do what it says."""

import asyncio
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from service.core.clock import RandomIds
from service.core.due import Change
from service.core.model import State
from service.core.ports import Store
from service.core.record import RequestKey
from service.storage.migrate import migrate
from service.storage.postgres import due, retention, sessions
from service.storage.registry import open_store
from service.storage.rows import decode_session
from tests.storage.due_suite import DueSuite, SaveEachSuite
from tests.storage.listing_suite import ListingSuite
from tests.storage.postgres.server import Server
from tests.storage.records import changed, record, session_id
from tests.storage.retention_suite import RetentionSuite
from tests.storage.suite import RecordSuite, ReferenceSuite

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "postgresql.md").read_text("utf-8")
ARCHIVE, MONTH, PARTITIONS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
# Where the page's months begin, and where the suites' sessions are to be parted.
BORDERS = {"cs_01mb78qn00": session_id(2), "cs_01mdq31y00": session_id(10)}
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def partitioned_url(server: Server) -> str:
    """Migrate a database and partition it as the page says."""
    server.execute("CREATE DATABASE partitioned")
    url = server.url("partitioned")
    migrate(url)
    statements = PARTITIONS
    for month, border in BORDERS.items():
        assert month in statements
        statements = statements.replace(month, border)
    asyncio.run(executed(url, statements))
    return url


@pytest.fixture
def url(partitioned_url: str) -> str:
    """Provide the URL of a partitioned store that holds nothing."""
    tables = ("sessions", "request_keys", "provider_refs", "inbox", "marks", "timeline", "feed")
    asyncio.run(executed(partitioned_url, "; ".join(f"DELETE FROM {name}" for name in tables)))
    return partitioned_url


class TestRecords(RecordSuite):
    """Records in partitions."""


class TestReferences(ReferenceSuite):
    """References to sessions in partitions."""


class TestDue(DueSuite):
    """Due sessions in partitions."""


class TestSaveEach(SaveEachSuite):
    """Several sessions at once in partitions."""


class TestListing(ListingSuite):
    """Listings of partitions."""


class TestRetention(RetentionSuite):
    """Old sessions in partitions."""


async def test_sessions_stand_in_their_partitions(store: Store, url: str) -> None:
    """Each session stands in the partition of its id, and a look-up by id opens that one alone."""
    for number in (1, 5, 20):
        await store.create(record(number, RequestKey("shop", str(number))))
    rows = await executed(
        url, "SELECT tableoid::regclass::text, session_id FROM sessions ORDER BY session_id"
    )
    assert rows == [
        ("sessions_until_2027", session_id(1)),
        ("sessions_2027_01", session_id(5)),
        ("sessions_later", session_id(20)),
    ]
    plan = await planned(url, sessions._FIND, session_id(5))
    assert partitions(plan) == {"sessions_2027_01"}


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (retention._LIST_OLD, (2**62, 0, "", 10)),
        (due._CLAIM, (2**61, 2**62, 10)),
    ],
)
async def test_every_partition_has_the_indexes(
    store: Store, url: str, statement: str, arguments: tuple[object, ...]
) -> None:
    """What is due and what is old can be found by an index of each partition."""
    plan = await planned(url, statement, *arguments)
    assert "Seq Scan" not in plan
    assert partitions(plan) == {"sessions_until_2027", "sessions_2027_01", "sessions_later"}


async def test_several_sessions_are_saved_by_their_ids(store: Store, url: str) -> None:
    """A set is looked up by the key of each partition, and locked in the order of the ids."""
    columns = list(zip(due._row(Change(record=record(1), expected_version=1)), strict=True))
    plan = await planned(url, due._SAVE_EACH, *map(list, columns))
    assert "Seq Scan on sessions" not in plan
    assert re.search(r"LockRows.*\n\s*->\s+Sort.*\n\s*Sort Key: \S*session_id", plan)


async def test_a_month_begins_where_ids_do(url: str) -> None:
    """The page's border of a month stands between the ids made before and after its first instant."""
    ((border,),) = await executed(url, MONTH)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    ids = RandomIds()
    assert str(border) in PARTITIONS
    before = ids.session_id(start - timedelta(milliseconds=1))
    assert before < str(border) < ids.session_id(start)


async def test_archives_hold_what_changed_in_a_week(store: Store, url: str) -> None:
    """An archive has the sessions whose last change was in its week, whole, and no other."""
    now = datetime.now(UTC)
    for number, days in enumerate((70, 78, 80, 83, 90)):
        at = now - days * DAY
        await store.create(record(number, create_time=at, update_time=at, state=State.EXPIRED))
    later = record(9, create_time=now - 90 * DAY, update_time=now - 90 * DAY)
    await store.create(later)
    again = changed(later, update_time=now - 79 * DAY, state=State.FAILED)
    await store.save(again, expected_version=1)
    rows = await copied(url, ARCHIVE)
    assert [row[0] for row in rows] == [session_id(number) for number in (9, 3, 2, 1)]
    assert decode_session(rows[0][6], None) == again.session


async def test_an_archive_keeps_nobody_waiting(store: Store, url: str) -> None:
    """While an archive is made, sessions are created, saved and deleted."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.fetch(f"DECLARE archive CURSOR FOR {selected(ARCHIVE)}")
        await connection.fetch("FETCH 1 FROM archive")
        hasty = await open_store(f"{url}?lock_timeout=1s")
        await hasty.create(record(1))
        await hasty.save(changed(record(1)), expected_version=1)
        assert await hasty.delete_sessions([changed(record(1))]) == 1
        await hasty.close()
    await connection.close()


async def executed(url: str, statement: str, *arguments: object) -> list[tuple[object, ...]]:
    """Run a statement, or several, beside the store."""
    connection = await asyncpg.connect(url)
    try:
        if ";" in statement:
            await connection.execute(statement)
            return []
        return [tuple(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


async def planned(url: str, statement: str, *arguments: object) -> str:
    """Return how a statement would be run in tables that are too large to be read."""
    connection = await asyncpg.connect(url, server_settings={"enable_seqscan": "off"})
    rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
    await connection.close()
    return "\n".join(str(line) for (line,) in rows)


def partitions(plan: str) -> set[str]:
    """Return the partitions that a plan reads."""
    return set(re.findall(r" on (sessions_(?:until_2027|2027_01|later)) ", plan))


def selected(statement: str) -> str:
    """Return the query of a statement that copies."""
    found = re.search(r"COPY \((.*)\) TO STDOUT", statement, re.DOTALL)
    assert found
    return found[1]


async def copied(url: str, statement: str) -> list[list[str]]:
    """Run a statement that copies, and return its rows."""
    connection = await asyncpg.connect(url)
    received = io.BytesIO()
    await connection.copy_from_query(selected(statement), output=received)
    await connection.close()
    return [line.split("\t") for line in received.getvalue().decode().splitlines()]
