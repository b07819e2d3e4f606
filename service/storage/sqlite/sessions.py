"""Statements on sessions, their request keys and the providers' references to them."""

import json
import sqlite3
from collections.abc import Callable, Sequence

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict
from service.core.events import Fact
from service.core.inbox import InboxEvent
from service.core.model import Session
from service.core.record import Record, RequestKey, due_time
from service.storage.facts import columns
from service.storage.rows import (
    decode_record,
    decode_session,
    encode_attempt,
    encode_record,
    microseconds,
)
from service.storage.sqlite import events, inbox, waiting

_FIND = """
    SELECT body, private, attempt, caller, request_id, fingerprint
    FROM sessions WHERE session_id = ?
"""

_FIND_MANY = """
    SELECT body, private FROM sessions WHERE session_id IN (SELECT value FROM json_each(?))
"""

_FIND_BY_REQUEST = """
    SELECT body, private, attempt, s.caller, s.request_id, fingerprint
    FROM request_keys AS k JOIN sessions AS s ON s.session_id = k.session_id
    WHERE k.caller = ? AND k.request_id = ?
"""

_FIND_BY_REFERENCE = """
    SELECT body, private, attempt, caller, request_id, fingerprint
    FROM provider_refs AS r JOIN sessions AS s ON s.session_id = r.session_id
    WHERE r.provider = ? AND r.account = ? AND r.reference = ?
"""

_INSERT = """
    INSERT INTO sessions (
        session_id, provider, account, live, reference_id, create_time, caller, request_id,
        fingerprint, state, payment_status, due_time, version, attempt, body, private
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_INSERT_KEY = """
    INSERT INTO request_keys (caller, request_id, session_id) VALUES (?, ?, ?)
    ON CONFLICT DO NOTHING
"""

_UPDATE = """
    UPDATE sessions SET
        fingerprint = ?, state = ?, payment_status = ?, due_time = ?, version = ?, attempt = ?,
        body = ?, private = ?
    WHERE session_id = ? AND version = ?
"""

Unit = Callable[[sqlite3.Connection], None]


def find(connection: sqlite3.Connection, session_id: str) -> Record | None:
    """Read the record of a session."""
    row = connection.execute(_FIND, (session_id,)).fetchone()
    return row and decode_record(row)


def find_many(connection: sqlite3.Connection, session_ids: Sequence[str]) -> Sequence[Session]:
    """Read sessions by their ids."""
    rows = connection.execute(_FIND_MANY, (json.dumps(session_ids),))
    return [decode_session(body, private) for body, private in rows]


def find_by_request(connection: sqlite3.Connection, key: RequestKey) -> Record | None:
    """Read the record that holds a request key."""
    row = connection.execute(_FIND_BY_REQUEST, (key.caller, key.request_id)).fetchone()
    return row and decode_record(row)


def find_by_reference(
    connection: sqlite3.Connection, provider: str, account: str, references: Sequence[str]
) -> Record | None:
    """Read the record of the first reference that is known."""
    for reference in references:
        keys = (provider, account, reference)
        if row := connection.execute(_FIND_BY_REFERENCE, keys).fetchone():
            return decode_record(row)
    return None


def create(record: Record, facts: Sequence[Fact]) -> Unit:
    """Make the unit that inserts a record and its request key, and begins its timeline."""
    session, key, told = record.session, record.key, columns(facts)
    caller, request_id = (key.caller, key.request_id) if key else (None, None)
    row = (
        session.session_id,
        session.provider,
        session.account,
        session.live,
        session.reference_id or None,
        microseconds(session.create_time),
        caller,
        request_id,
        *_changing(record),
    )

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute(_INSERT, row)
        if key is not None:
            taken = connection.execute(_INSERT_KEY, (caller, request_id, session.session_id))
            if not taken.rowcount:
                raise RequestIdTaken
        events.insert(connection, session.session_id, session.version, told)

    return insert


def save(
    record: Record,
    *,
    expected_version: int,
    references: Sequence[str],
    event: InboxEvent | None,
    matched: Sequence[str],
    facts: Sequence[Fact],
) -> Unit:
    """Make the unit that replaces a record, links references to it, stores an event and matches others."""
    session, told = record.session, columns(facts)
    row = (*_changing(record), session.session_id, expected_version)

    def replace(connection: sqlite3.Connection) -> None:
        if event is not None and not inbox.insert(connection, event):
            raise EventKnown
        if not connection.execute(_UPDATE, row).rowcount:
            raise StoreConflict
        for event_id in matched:
            waiting.match(connection, session, event_id)
        for reference in references:
            if waiting.link(connection, session, reference):
                raise StoreConflict
        events.insert(connection, session.session_id, session.version, told)

    return replace


def _changing(record: Record) -> tuple[object, ...]:
    session, due = record.session, due_time(record)
    return (
        record.fingerprint,
        session.state.value,
        session.payment_status.value,
        None if due is None else microseconds(due),
        session.version,
        encode_attempt(record.attempt),
        *encode_record(record),
    )
