"""Statements on the inbox of verified events."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from service.core.errors import EventKnown, StoreConflict
from service.core.events import Fact
from service.core.inbox import InboxEvent
from service.storage.rows import microseconds
from service.storage.sqlite import events, waiting

_INSERT = """
    INSERT INTO inbox
        (provider, account, event_id, event_type, received, session_id, body, facts, private)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (provider, account, event_id) DO NOTHING
"""

# An event that had no session, and comes again with one, is as good as new.
_GIVE = """
    UPDATE inbox SET
        event_type = ?, received = ?, session_id = ?, body = ?, facts = NULL, private = NULL
    WHERE provider = ? AND account = ? AND event_id = ? AND session_id IS NULL
    RETURNING position
"""

_DELETE_OLD = """
    DELETE FROM inbox WHERE position IN (
        SELECT position FROM inbox WHERE session_id IS NOT NULL AND received < ? LIMIT ?
    )
"""


def insert(connection: sqlite3.Connection, event: InboxEvent) -> bool:
    """Store an event and what it waits for; tell whether it is new."""
    encode = msgspec.json.encode
    row = (
        event.provider,
        event.account,
        event.event_id,
        event.event_type,
        microseconds(event.received),
        event.session_id or None,
        event.body,
        None if event.facts is None else encode(event.facts).decode(),
        None if event.waiting is None else encode(event.waiting).decode(),
    )
    stored = connection.execute(_INSERT, row)
    if not stored.rowcount:
        return bool(event.session_id) and _give(connection, event)
    if event.facts is not None and stored.lastrowid is not None and not event.session_id:
        waiting.note(connection, event, stored.lastrowid)
    return True


def _give(connection: sqlite3.Connection, event: InboxEvent) -> bool:
    key = (event.provider, event.account, event.event_id)
    row = (event.event_type, microseconds(event.received), event.session_id, event.body, *key)
    given = connection.execute(_GIVE, row).fetchall()
    for (position,) in given:
        waiting.forget(connection, position)
    return bool(given)


def receive(
    connection: sqlite3.Connection, event: InboxEvent, version: int, facts: Sequence[Fact]
) -> None:
    """Store an event that changes nothing, and tell of it."""
    if not insert(connection, event):
        raise EventKnown
    if not event.session_id and waiting.is_over(connection, event):
        raise StoreConflict
    events.add(connection, event.session_id, version, facts)


def purge(
    connection: sqlite3.Connection,
    matched_before: datetime,
    unmatched_before: datetime,
    limit: int,
) -> int:
    """Delete old matched events and reduce old unmatched ones; return how many."""
    deleted = connection.execute(_DELETE_OLD, (microseconds(matched_before), limit)).rowcount
    return deleted + waiting.reduce(connection, unmatched_before, limit - deleted)
