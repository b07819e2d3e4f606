"""How far each account has been looked through: a time in what the store knows of itself."""

import sqlite3
from datetime import datetime

from service.storage.rows import microseconds, moment

_READ = "SELECT value FROM store_meta WHERE name = ?"
_WRITE = """
    INSERT INTO store_meta (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def read(connection: sqlite3.Connection, provider: str, account: str) -> datetime | None:
    """Read the mark of an account."""
    row = connection.execute(_READ, (_name(provider, account),)).fetchone()
    return row and moment(row[0])


def write(connection: sqlite3.Connection, provider: str, account: str, at: datetime) -> None:
    """Move the mark of an account."""
    connection.execute(_WRITE, (_name(provider, account), microseconds(at)))


def _name(provider: str, account: str) -> str:
    return f"looked_until/{provider}/{account}"
