"""Statements on sessions that are old enough to go."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from service.core.record import Record
from service.core.retention import Place
from service.storage.rows import decode_record, microseconds

_LIST_OLD = """
    SELECT body, private, attempt, caller, request_id, fingerprint FROM sessions
    WHERE create_time < ? AND (create_time, session_id) > (?, ?)
    ORDER BY create_time, session_id LIMIT ?
"""

_IS_CURRENT = "SELECT 1 FROM sessions WHERE session_id = ? AND version = ?"

# What leads to a session goes before it.
_DELETE = (
    "DELETE FROM request_keys WHERE caller = :caller AND request_id = :request_id",
    "DELETE FROM provider_refs WHERE session_id = :session_id",
    # The next position follows the newest row: where that one goes, an empty one keeps its place.
    """
    INSERT INTO timeline (session_id, version, facts)
    SELECT '', 0, '[]' FROM (SELECT session_id FROM timeline ORDER BY position DESC LIMIT 1) AS newest
    WHERE newest.session_id = :session_id
    """,
    "DELETE FROM timeline WHERE session_id = :session_id",
    "DELETE FROM timeline WHERE session_id = '' AND position < (SELECT max(position) FROM timeline)",
    "DELETE FROM sessions WHERE session_id = :session_id",
)


def list_old(
    connection: sqlite3.Connection, created_before: datetime, after: Place | None, limit: int
) -> list[Record]:
    """Read the oldest sessions after a place."""
    time, session_id = (microseconds(after[0]), after[1]) if after else (-(2**63), "")
    row = (microseconds(created_before), time, session_id, limit)
    return [decode_record(found) for found in connection.execute(_LIST_OLD, row).fetchall()]


def delete(connection: sqlite3.Connection, records: Sequence[Record]) -> int:
    """Delete sessions that are as they were read; return how many."""
    return sum(_delete_one(connection, record) for record in records)


def _delete_one(connection: sqlite3.Connection, record: Record) -> bool:
    session, key = record.session, record.key
    current = (session.session_id, session.version)
    if connection.execute(_IS_CURRENT, current).fetchone() is None:
        return False
    names = {
        "session_id": session.session_id,
        "caller": key and key.caller,
        "request_id": key and key.request_id,
    }
    for statement in _DELETE:
        connection.execute(statement, names)
    return True
