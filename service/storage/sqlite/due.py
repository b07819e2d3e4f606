"""Statements on sessions whose time has come, and on several of them at once."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from service.core.due import Change
from service.core.errors import StoreConflict
from service.storage.rows import StoredRecord, microseconds
from service.storage.sqlite.sessions import Unit, save

_DUE = """
    SELECT body, private, attempt, caller, request_id, fingerprint FROM sessions
    WHERE due_time <= ? ORDER BY due_time, session_id LIMIT ?
"""


def read_due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[StoredRecord]:
    """Read the rows of sessions whose time has run out."""
    return connection.execute(_DUE, (microseconds(now), limit)).fetchall()


def save_each(changes: Sequence[Change]) -> Callable[[sqlite3.Connection], Sequence[str]]:
    """Make the unit that replaces records, and returns the ids of those that it leaves alone."""
    units = [(change.record.session.session_id, _unit(change)) for change in changes]

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
