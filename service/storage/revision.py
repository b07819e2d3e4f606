"""The revision of a store's tables, read without the migration tool."""

import sqlite3
from contextlib import closing
from pathlib import Path

from service.core.errors import StoreUnavailable
from service.storage.location import place_of, sqlite_path

REVISIONS = ("001", "002", "003")
"""Every revision, oldest first; the last is the one this code reads and writes."""


def required_revision() -> str:
    """Return the revision this code works with."""
    return REVISIONS[-1]


def current_revision(url: str) -> str:
    """Return the revision a store is at, empty where there is no store yet."""
    path = sqlite_path(url)
    return read_revision(path) if path.exists() else ""


async def pending_revision(url: str) -> str:
    """Return the revision a store has still to be brought to, empty where it is there."""
    place = place_of(url)
    if isinstance(place, Path):
        return "" if current_revision(url) == required_revision() else required_revision()
    # Whoever keeps sessions in a file need not pay for the driver of a server.
    from service.storage.postgres.revision import REVISIONS as REQUIRED  # noqa: PLC0415
    from service.storage.postgres.revision import read_schema  # noqa: PLC0415

    schema = await read_schema(place)
    return REQUIRED[-1] if schema.is_too_old or schema.is_too_new else ""


def read_revision(path: Path) -> str:
    """Return the revision written in a database file, empty where none is."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            if database.execute(table).fetchone() is None:
                return ""
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else ""
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The store {path} cannot be read: {error}.") from error


def check_known(path: Path, revision: str) -> None:
    """Raise StoreUnavailable where a revision is none this code has heard of."""
    if revision and revision not in REVISIONS:
        raise StoreUnavailable(
            f"The store {path} is at revision {revision}, written by a newer version of this "
            f"service; this one works with {required_revision()}."
        )


def check_current(path: Path) -> None:
    """Raise StoreUnavailable unless a store is at the required revision."""
    revision = read_revision(path) if path.exists() else ""
    check_known(path, revision)
    if revision != required_revision():
        found = f"is at revision {revision}" if revision else "has no tables yet"
        raise StoreUnavailable(
            f"The store {path} {found}, and {required_revision()} is required: "
            "run `checkout migrate`."
        )
