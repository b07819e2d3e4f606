"""Statements on the inbox of verified events."""

import sqlite3
from datetime import datetime

from service.core.ports import InboxEvent
from service.storage.sqlite.rows import microseconds

_INSERT = """
    INSERT INTO inbox (provider, account, event_id, event_type, received, session_id, body)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""

# Each half reads a bounded piece of the index of ages.
_PURGE = """
    DELETE FROM inbox WHERE rowid IN (
        SELECT rowid FROM inbox WHERE (session_id IS NULL) = 0 AND received < ?
        UNION ALL
        SELECT rowid FROM inbox WHERE (session_id IS NULL) = 1 AND received < ?
        LIMIT ?
    )
"""


def insert(connection: sqlite3.Connection, event: InboxEvent) -> bool:
    """Store an event; tell whether it is new."""
    row = (
        event.provider,
        event.account,
        event.event_id,
        event.event_type,
        microseconds(event.received),
        event.session_id or None,
        event.body,
    )
    return connection.execute(_INSERT, row).rowcount == 1


def purge(
    connection: sqlite3.Connection,
    matched_before: datetime,
    unmatched_before: datetime,
    limit: int,
) -> int:
    """Delete up to `limit` old events; return how many."""
    ages = (microseconds(matched_before), microseconds(unmatched_before))
    return connection.execute(_PURGE, (*ages, limit)).rowcount
