"""The revision of a database's tables, read without the migration tool."""

import asyncpg

from service.core.errors import StoreUnavailable
from service.storage.location import PostgresPlace
from service.storage.postgres.engine import FAILURES, connection_options

REVISIONS = ("001",)
"""Every revision, oldest first; the last is the one this code reads and writes."""

_READ = "SELECT version_num FROM alembic_version"


async def read_revision(place: PostgresPlace) -> str:
    """Return the revision written in a database, empty where none is. Raises StoreUnavailable."""
    try:
        connection = await asyncpg.connect(**connection_options(place))
        try:
            return str(await connection.fetchval(_READ) or "")
        except asyncpg.UndefinedTableError:
            return ""
        finally:
            await connection.close()
    except FAILURES as error:
        raise StoreUnavailable(f"The store {place.shown} cannot be read: {error}.") from error


def check_known(place: PostgresPlace, revision: str) -> None:
    """Raise StoreUnavailable where a revision is none this code has heard of."""
    if revision and revision not in REVISIONS:
        raise StoreUnavailable(
            f"The store {place.shown} is at revision {revision}, written by a newer version of "
            f"this service; this one works with {REVISIONS[-1]}."
        )


async def check_current(place: PostgresPlace) -> None:
    """Raise StoreUnavailable unless a database is at the required revision."""
    revision = await read_revision(place)
    check_known(place, revision)
    if revision != REVISIONS[-1]:
        found = f"is at revision {revision}" if revision else "has no tables yet"
        raise StoreUnavailable(
            f"The store {place.shown} {found}, and {REVISIONS[-1]} is required: "
            "run `checkout migrate`."
        )
