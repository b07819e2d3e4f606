"""Looks at a store from outside without changing a byte of it, whether or not a process uses it."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from service.core.errors import StoreUnavailable

_PATIENCE = 1.0


def peek_revision(path: Path) -> str:
    """Return the revision written in a database file, empty where none is.

    Raises StoreUnavailable where the file cannot be read as a database.
    """
    # SQLite's log stands beside the file itself, wherever a link to it may.
    path = path.resolve()
    # With a log and its index there, SQLite can read beside a writer, and is kept from mending them.
    # Without, it would make both anew, even to read; nobody writes then, so the file alone is true.
    kept_off = "readonly_shm=1" if path.with_name(f"{path.name}-shm").exists() else "immutable=1"
    address = f"{path.as_uri()}?mode=ro&{kept_off}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as database:
            table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            if database.execute(table).fetchone() is None:
                return ""
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else ""
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The store {path} cannot be read: {error}.") from error


def holder(path: Path) -> str | None:
    """Return the id of the process that holds a database's lock, None where nobody does.

    Raises OSError where the lock cannot be read.
    """
    target = path.resolve()
    try:
        file = os.open(target.with_name(f"{target.name}.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(file)
    return None
