"""Statements on timelines, whose rows stand in the order in which all changes were made."""

import sqlite3
from collections.abc import Sequence

from service.core.events import Fact, NumberedEvent, SessionEvent
from service.storage.facts import Columns, columns, entries, first_row, numbered

_INSERT = """
    INSERT INTO timeline (session_id, version, facts, types, time) VALUES (?, ?, ?, ?, ?)
"""

_LIST = """
    SELECT position, version, facts FROM timeline
    WHERE session_id = ? AND position >= ? ORDER BY position LIMIT ?
"""

_READ = """
    SELECT position, session_id, version, time, types FROM timeline
    WHERE position > ? AND types IS NOT NULL ORDER BY position LIMIT ?
"""

_RANGE = """
    SELECT (SELECT min(position) FROM timeline), coalesce((SELECT max(position) FROM timeline), 0)
"""

_STORE_ID = "SELECT value FROM store_meta WHERE name = 'store_id'"


def insert(connection: sqlite3.Connection, session_id: str, version: int, told: Columns) -> None:
    """Add what a step tells to a timeline."""
    if told[0] is not None:
        connection.execute(_INSERT, (session_id, version, *told))


def add(
    connection: sqlite3.Connection, session_id: str, version: int, facts: Sequence[Fact]
) -> None:
    """Add facts alone."""
    insert(connection, session_id, version, (columns(facts)[0], None, None))


def list_events(
    connection: sqlite3.Connection, session_id: str, after: int, limit: int
) -> Sequence[SessionEvent]:
    """Read a part of a timeline."""
    # Each row has an entry at least, and the first one may have been read to its end.
    rows = connection.execute(_LIST, (session_id, first_row(after), limit + 1))
    return entries(session_id, rows, after, limit)


def read_events(connection: sqlite3.Connection, after: int, limit: int) -> Sequence[NumberedEvent]:
    """Read changes of all sessions."""
    return [numbered(*row) for row in connection.execute(_READ, (after, limit))]


def event_range(connection: sqlite3.Connection) -> tuple[int, int]:
    """Read the oldest and the newest position."""
    oldest, newest = connection.execute(_RANGE).fetchone()
    return oldest or newest + 1, newest


def store_id(connection: sqlite3.Connection) -> bytes:
    """Read the store's id."""
    return bytes.fromhex(connection.execute(_STORE_ID).fetchone()[0])
