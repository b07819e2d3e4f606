"""The tables: where personal data stands, and what a look-up reads."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from service.core.model import CollectedDetails, PaymentStatus, State
from service.core.ports import SubscriptionReport
from service.core.unmatched import UnmatchedQuery
from service.core.waiting import Waiting
from service.storage.registry import open_store
from service.storage.sqlite import due, inbox, listing, retention, sessions, waiting
from service.storage.sqlite import unmatched as listing_of_unmatched
from tests.storage.events_suite import change
from tests.storage.records import (
    HOUR,
    NOW,
    changed,
    event,
    query,
    record,
    session,
    unmatched,
    whole_record,
)

CANARY = "canary-5c1e"

COPY = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO sessions
    SELECT printf('cs_%026d', 1000 + i), provider, account, live, reference_id,
        create_time + i * 1000000, caller, request_id, fingerprint, state, payment_status,
        due_time, version, attempt, body, private
    FROM n JOIN sessions
"""

COPY_EVENTS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO inbox (provider, account, event_id, event_type, received, body, facts, private)
    SELECT provider, account, i, event_type, received + i, body, facts, private
    FROM n JOIN inbox WHERE position = 1
"""


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file of the store."""
    with closing(sqlite3.connect(path)) as connection:
        yield connection


async def test_personal_data_stands_in_three_columns(
    url: str, database: sqlite3.Connection
) -> None:
    """No column but a session's private one, an event's body and what it waits with holds personal data."""
    first = whole_record(CANARY)
    second = changed(first, state=State.OPEN)
    body = f'{{"customer": "{CANARY}"}}'.encode()
    store = await open_store(url)
    await store.create(first)
    await store.save(second, expected_version=12, references=("payment:1",), event=event(body=body))
    report = SubscriptionReport(
        subscription_id="sub_1", authorised=False, collected=CollectedDetails(email=CANARY)
    )
    await store.receive(unmatched(2, body=body, waiting=Waiting(report=report)))
    assert columns_with(CANARY, database) == {"sessions.private", "inbox.body", "inbox.private"}
    later = NOW + HOUR
    await store.purge_events(matched_before=later, unmatched_before=later, limit=9)
    await store.close()
    assert columns_with(CANARY, database) == {"sessions.private"}


async def test_a_deleted_timeline_leaves_its_last_place(
    url: str, database: sqlite3.Connection
) -> None:
    """However many sessions go, one empty row at most is left of them, and it is the newest."""
    store = await open_store(url)
    for number in range(3):
        await store.create(record(number), (change("session.created"),))
        assert await store.delete_sessions([record(number)]) == 1
        rows = database.execute("SELECT position, session_id, facts FROM timeline").fetchall()
        assert rows == [(2 * number + 2, "", "[]")]
    await store.close()


async def test_one_statement_erases_a_customer(url: str, database: sqlite3.Connection) -> None:
    """Without its private column a session is what it was, without the customer."""
    whole = whole_record(CANARY)
    store = await open_store(url)
    await store.create(whole)
    database.execute("UPDATE sessions SET private = NULL")
    database.commit()
    erased = await store.find(whole.session.session_id)
    await store.close()
    assert erased is not None
    assert CANARY not in repr(erased)
    assert erased.session.payments == whole.session.payments


@pytest.mark.parametrize(
    "statement",
    [
        sessions._FIND,
        sessions._FIND_BY_REQUEST,
        sessions._FIND_BY_REFERENCE,
        sessions._UPDATE,
        due._DUE,
        inbox._GIVE,
        inbox._DELETE_OLD,
        waiting._FORGET,
        waiting._IS_LINKED,
        re.sub(r":\w+", "?", waiting._LINK),
        waiting._FIND,
        waiting._OLD,
        retention._LIST_OLD,
        retention._IS_CURRENT,
        *(re.sub(r":\w+", "?", one) for one in retention._DELETE if one.startswith("DELETE")),
        listing._ID_RANGE,
        listing._OF_GROUP,
        listing._OF_REFERENCE,
    ],
)
def test_statements_search(database: sqlite3.Connection, statement: str) -> None:
    """No statement reads a table from end to end."""
    names = listing._parameters(database, query())
    groups = {"state": "", "payment_status": ""}
    parameters = {**names, **groups} if ":" in statement else (1,) * statement.count("?")
    plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    steps = [step for *_, step in plan if "VIRTUAL" not in step]
    assert [step for step in steps if step.startswith("SCAN")] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


async def test_a_deletion_does_not_read_the_store(url: str, database: sqlite3.Connection) -> None:
    """Deleting a session takes as many steps in a store of 6,000 sessions as in one of 60."""
    old = record(1)
    store = await open_store(url)
    await store.create(old)
    await store.close()
    look = partial(retention.delete, records=[old])
    taken = []
    # As the store's own connections have it.
    database.execute("PRAGMA foreign_keys = ON")
    for number in (60, 6_000):
        copy(database, number)
        database.execute(
            """
            INSERT INTO request_keys (caller, request_id, session_id)
            SELECT 'shop', session_id, session_id FROM sessions WHERE true ON CONFLICT DO NOTHING
            """
        )
        database.commit()
        taken.append(steps(database, lambda connection: [look(connection)]))
        database.rollback()
    assert taken[1] < taken[0] + 200


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"provider": "square"},
        {"account": "second", "states": frozenset({State.OPEN})},
        {"live": True},
        {"reference_id": "rare"},
        {"states": frozenset({State.FAILED})},
        {"states": frozenset({State.EXPIRED}), "provider": "dodo"},
        {"payment_statuses": frozenset({PaymentStatus.PAID})},
        {"create_time_to": NOW + timedelta(seconds=5)},
        {"create_time_from": NOW, "create_time_to": NOW + HOUR / 60, "metadata": {"a": "b"}},
    ],
    ids="-".join,
)
async def test_listing_does_not_read_the_store(
    url: str, database: sqlite3.Connection, conditions: dict[str, object]
) -> None:
    """A listing takes about as many steps in a store of 6,000 sessions as in one of 60."""
    look = partial(listing.list_sessions, query=query(**conditions, limit=5))
    store = await open_store(url)
    await store.create(record(1))
    await store.close()
    copy(database, 60)
    few = steps(database, look)
    copy(database, 6_000)
    assert steps(database, look) < few + 2_000


@pytest.mark.parametrize(
    "conditions",
    [{}, {"provider": "square"}, {"account": "second"}, {"received_to": NOW + HOUR / 60}],
    ids="-".join,
)
async def test_listing_of_unmatched_events_does_not_read_the_store(
    url: str, database: sqlite3.Connection, conditions: dict[str, object]
) -> None:
    """A listing of unmatched events takes about as many steps in an inbox of 6,000 as in one of 60."""
    store = await open_store(url)
    await store.receive(unmatched(1))
    await store.receive(unmatched(2, provider="square", account="second"))
    await store.close()
    asked = structs.replace(UnmatchedQuery(limit=5), **conditions)
    look = partial(listing_of_unmatched.list_unmatched, query=asked)
    copy_events(database, 60)
    few = steps(database, look)
    copy_events(database, 6_000)
    assert steps(database, look) < few + 200


def copy_events(database: sqlite3.Connection, number: int) -> None:
    """Fill the inbox with copies of its first event."""
    database.execute("DELETE FROM inbox WHERE position > 2")
    database.execute(COPY_EVENTS, (number,))
    database.commit()


def columns_with(text: str, database: sqlite3.Connection) -> set[str]:
    """Return the columns that hold a text."""
    return {
        f"{table}.{column}"
        for table, column in columns(database)
        if text in "".join(map(repr, database.execute(f"SELECT {column} FROM {table}")))
    }


def copy(database: sqlite3.Connection, number: int) -> None:
    """Fill the table with copies of one session, and one that is unlike them."""
    database.execute("DELETE FROM sessions WHERE session_id <> ?", (session().session_id,))
    database.execute(COPY, (number,))
    database.execute(
        """
        UPDATE sessions SET provider = 'square', account = 'second', live = 1, state = 'FAILED',
            payment_status = 'PAID', reference_id = 'rare', body = replace(body, '"dodo"', '"square"')
        WHERE session_id = ?
        """,
        (session().session_id,),
    )
    database.commit()


def steps(
    database: sqlite3.Connection, look: Callable[[sqlite3.Connection], Sequence[object]]
) -> int:
    """Count the steps of SQLite's machine in a listing, in tens."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 10

    database.set_progress_handler(count, 10)
    look(database)
    database.set_progress_handler(None, 0)
    return taken


def columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return every column of every table."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, column)
        for (table,) in tables
        for _, column, *_ in database.execute(f"PRAGMA table_info({table})")
    ]
