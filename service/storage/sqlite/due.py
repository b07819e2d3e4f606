"""Statements on sessions whose time has come, and on several of them at once."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from service.core import portions
from service.core.due import Change
from service.core.errors import StoreConflict
from service.storage.due import StoredDue
from service.storage.rows import microseconds
from service.storage.sqlite.sessions import Unit, save

_DUE = """
    SELECT session_id, body, private, attempt, caller, request_id, fingerprint FROM sessions
    WHERE due_time <= ? ORDER BY due_time, session_id LIMIT ?
"""


def read_due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[StoredDue]:
    """Read the rows of sessions whose time has run out."""
    rows = connection.execute(_DUE, (microseconds(now), limit)).fetchall()
    return [(session_id, tuple(stored)) for session_id, *stored in rows]


async def save_each(
    changes: Sequence[Change],
) -> Callable[[sqlite3.Connection], Sequence[str]]:
    """Make the unit that replaces records, and returns the ids of those that it leaves alone."""
    ids = [change.record.session.session_id for change in changes]
    units = list(zip(ids, await portions.each(_unit, changes), strict=True))

    def replace(connection: sqlite3.Connection) -> Sequence[str]:
        stale = []
        for session_id, unit in units:
            try:
                unit(connection)
            except StoreConflict:
                # Where nothing else comes with it, a conflict shows before anything is written.
                stale.append(session_id)
        return stale

    return replace


def _unit(change: Change) -> Unit:
    return save(
        change.record,
        expected_version=change.expected_version,
        references=(),
        event=None,
        matched=(),
        facts=change.facts,
    )
