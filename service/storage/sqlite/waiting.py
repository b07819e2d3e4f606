"""Statements on events that wait for a session, and on the references they wait for."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from service.core.inbox import InboxEvent
from service.core.model import Session
from service.core.unmatched import Facts
from service.core.waiting import Waiting
from service.storage.rows import microseconds, moment

_NOTE = """
    INSERT INTO waiting_refs (provider, account, reference, position) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""

_FORGET = "DELETE FROM waiting_refs WHERE position = ?"

_IS_LINKED = """
    SELECT 1 FROM provider_refs WHERE provider = ? AND account = ? AND reference = ?
"""

# What leads to a session already is awaited by nobody: whoever would is refused.
_LINK = """
    INSERT INTO provider_refs (provider, account, reference, session_id)
    VALUES (:provider, :account, :reference, :session_id)
    ON CONFLICT DO NOTHING
    RETURNING EXISTS (
        SELECT 1 FROM waiting_refs
        WHERE provider = :provider AND account = :account AND reference = :reference
    )
"""

_FIND = """
    SELECT i.event_id, i.event_type, i.received, i.facts, i.private
    FROM waiting_refs AS w JOIN inbox AS i ON i.position = w.position
    WHERE w.provider = ? AND w.account = ? AND w.reference = ?
"""

_MATCH = """
    UPDATE inbox SET session_id = ?, facts = NULL, private = NULL
    WHERE provider = ? AND account = ? AND event_id = ? AND session_id IS NULL
    RETURNING position
"""

_OLD = """
    SELECT position FROM inbox WHERE private IS NOT NULL AND received < ?
    ORDER BY received, position LIMIT ?
"""

_REDUCE = """
    UPDATE inbox SET event_type = '', body = x'', private = NULL,
        facts = json_remove(facts, '$.payment_time')
    WHERE position = ?
"""

_FACTS = msgspec.json.Decoder(Facts)
_WAITING = msgspec.json.Decoder(Waiting)


def note(connection: sqlite3.Connection, event: InboxEvent, position: int) -> None:
    """Keep which references an event waits for."""
    references = event.facts.references if event.facts else ()
    for reference in references:
        connection.execute(_NOTE, (event.provider, event.account, reference, position))


def forget(connection: sqlite3.Connection, position: int) -> None:
    """Let an event wait no more."""
    connection.execute(_FORGET, (position,))


def is_over(connection: sqlite3.Connection, event: InboxEvent) -> bool:
    """Tell whether one of an event's references leads to a session already."""
    references = event.facts.references if event.facts else ()
    return any(
        connection.execute(_IS_LINKED, (event.provider, event.account, reference)).fetchone()
        for reference in references
    )


def link(connection: sqlite3.Connection, session: Session, reference: str) -> bool:
    """Let a reference lead to a session, unless it leads to one; tell whether an event waits for it."""
    row = {
        "provider": session.provider,
        "account": session.account,
        "reference": reference,
        "session_id": session.session_id,
    }
    return any(awaited for (awaited,) in connection.execute(_LINK, row).fetchall())


def find(
    connection: sqlite3.Connection, provider: str, account: str, references: Sequence[str]
) -> Sequence[InboxEvent]:
    """Read the events that wait for one of the references, each once."""
    rows = {
        row[0]: row
        for reference in references
        for row in connection.execute(_FIND, (provider, account, reference)).fetchall()
    }
    return [
        InboxEvent(
            provider=provider,
            account=account,
            event_id=event_id,
            event_type=event_type,
            received=moment(received),
            facts=_FACTS.decode(facts),
            waiting=_WAITING.decode(private),
        )
        for event_id, event_type, received, facts, private in rows.values()
    ]


def match(connection: sqlite3.Connection, session: Session, event_id: str) -> None:
    """Give an event that waited to a session."""
    key = (session.session_id, session.provider, session.account, event_id)
    for (position,) in connection.execute(_MATCH, key).fetchall():
        forget(connection, position)


def reduce(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    """Erase what is personal of old unmatched events, and let them wait no more; return how many."""
    old = connection.execute(_OLD, (microseconds(before), limit)).fetchall()
    for (position,) in old:
        connection.execute(_REDUCE, (position,))
        forget(connection, position)
    return len(old)
