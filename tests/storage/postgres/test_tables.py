"""The tables in PostgreSQL: where personal data stands, and how much a look-up reads."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import cast

import asyncpg
import pytest

from service.core.model import CollectedDetails, PaymentStatus, State
from service.core.ports import Store, SubscriptionReport
from service.core.record import RequestKey
from service.core.unmatched import UnmatchedQuery
from service.core.waiting import Waiting
from service.storage.postgres import inbox, listing, sessions, unmatched
from service.storage.postgres.engine import Database
from tests.storage import records
from tests.storage.postgres.conftest import TABLES
from tests.storage.records import HOUR, NOW, changed, event, query, record, session_id, whole_record

CANARY = "canary-5c1e"
ROWS = 5_000
PAGE = 10
# A page, its index, and a step for each combination there is; the tables have hundreds.
FEW_BLOCKS = 60

COPY = f"""
    INSERT INTO sessions
    SELECT 'cs_' || lpad((1000 + i)::text, 26, '0'), provider, account, live, reference_id,
        create_time + i * 1000000::bigint, caller, request_id, fingerprint, state, payment_status,
        due_time + i * 1000000::bigint, version, metadata, attempt, body, private
    FROM sessions CROSS JOIN generate_series(1, {ROWS}) AS i
"""

COPY_EVENTS = f"""
    INSERT INTO inbox (
        provider, account, event_id, event_type, received, body, facts, private, awaited
    )
    SELECT provider, account, 'copy_' || i, event_type, received + i, body, facts, private, awaited
    FROM inbox CROSS JOIN generate_series(1, {ROWS}) AS i
"""


class Counted:
    """A database that tells how many blocks its reads have touched."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self.blocks = 0

    async def read(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement twice: for its cost and for its rows."""
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        ((plan,),) = await self._connection.fetch(explained, *arguments)
        top = json.loads(plan)[0]["Plan"]
        self.blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        return await self._connection.fetch(statement, *arguments)


@pytest.fixture
async def connection(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect beside the store."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def counted(store: Store, connection: "asyncpg.Connection[asyncpg.Record]") -> Counted:
    """Fill the tables, with one session and one event that are unlike all others."""
    # What deleted rows have left behind would be counted too.
    await connection.execute(f"TRUNCATE {', '.join(TABLES)}")
    await store.create(record(1))
    await store.receive(records.unmatched(1))
    await connection.execute(COPY)
    await connection.execute(COPY_EVENTS)
    rare = record(2, RequestKey("shop", "rare"), **RARE)
    await store.create(rare)
    links = ("session:rare",)
    await store.save(changed(rare), expected_version=1, references=links, event=event(9))
    await store.receive(records.unmatched(2, account="second", received=NOW - HOUR))
    await connection.execute("ANALYZE sessions, inbox, provider_refs, request_keys")
    return Counted(connection)


RARE: dict[str, object] = {
    "provider": "square",
    "account": "second",
    "live": True,
    "state": State.FAILED,
    "payment_status": PaymentStatus.PAID,
    "reference_id": "rare",
}


LISTINGS: tuple[dict[str, object], ...] = (
    {},
    {"provider": "square"},
    {"account": "second", "states": frozenset({State.FAILED})},
    {"live": True},
    {"reference_id": "rare"},
    {"states": frozenset({State.FAILED})},
    {"states": frozenset({State.OPEN}), "provider": "dodo"},
    {"payment_statuses": frozenset({PaymentStatus.PAID})},
    {"create_time_to": NOW + timedelta(seconds=5)},
    {"before": session_id(2000)},
)

UNMATCHED = (
    UnmatchedQuery(limit=PAGE),
    UnmatchedQuery(limit=PAGE, account="second"),
    UnmatchedQuery(limit=PAGE, before=(NOW + timedelta(microseconds=ROWS // 2), 1)),
    UnmatchedQuery(limit=PAGE, received_to=NOW),
)


async def test_personal_data_stands_in_three_columns(
    store: Store, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """No column but a session's private one, an event's body and what it waits with holds personal data."""
    first = whole_record(CANARY)
    body = f'{{"customer": "{CANARY}"}}'.encode()
    await store.create(first)
    await store.save(
        changed(first), expected_version=12, references=("payment:1",), event=event(body=body)
    )
    report = SubscriptionReport(
        subscription_id="sub_1", authorised=False, collected=CollectedDetails(email=CANARY)
    )
    waiting = Waiting(report=report)
    await store.receive(records.unmatched(2, body=body, waiting=waiting))
    expected = {"sessions.private", "inbox.body", "inbox.private"}
    assert await columns_with(CANARY, connection) == expected
    later = NOW + HOUR
    await store.purge_events(matched_before=later, unmatched_before=later, limit=9)
    assert await columns_with(CANARY, connection) == {"sessions.private"}


async def test_one_statement_erases_a_customer(
    store: Store, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Without its private column a session is what it was, without the customer."""
    whole = whole_record(CANARY)
    await store.create(whole)
    await connection.execute("UPDATE sessions SET private = NULL")
    erased = await store.find(whole.session.session_id)
    assert erased is not None
    assert CANARY not in repr(erased)
    assert erased.session.payments == whole.session.payments


async def test_look_ups_do_not_read_the_store(counted: Counted) -> None:
    """What a look-up or a page of a listing reads does not grow with the tables."""
    database = cast("Database", counted)
    looks: dict[str, Callable[[], Awaitable[object]]] = {
        "find": lambda: sessions.find(database, session_id(2)),
        "key": lambda: sessions.find_by_request(database, RequestKey("shop", "rare")),
        "reference": lambda: sessions.find_by_reference(
            database, "square", "second", ("none", "session:rare")
        ),
        "waiting": lambda: inbox.find_waiting(database, "dodo", "second", ("payment:2", "none")),
    }
    for conditions in LISTINGS:
        asked = query(**conditions, limit=PAGE)
        looks[repr(conditions)] = partial(listing.list_sessions, database, asked)
    for pages in UNMATCHED:
        looks[repr(pages)] = partial(unmatched.list_unmatched, database, pages)
    costly = {}
    for name, look in looks.items():
        counted.blocks = 0
        assert await look(), name
        if counted.blocks > FEW_BLOCKS:
            costly[name] = counted.blocks
    assert costly == {}


async def columns_with(text: str, connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    """Return the columns in which a text stands."""
    columns = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    found = set()
    for table, column in columns:
        values = await connection.fetch(f'SELECT "{column}" FROM "{table}"')
        if text in "".join(repr(value) for (value,) in values):
            found.add(f"{table}.{column}")
    return found
