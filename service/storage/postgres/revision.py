"""The revision of a database's tables, read without the migration tool, and which code may work with it."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from service.core.errors import StoreUnavailable
from service.storage.connections import USUAL
from service.storage.location import PostgresPlace
from service.storage.postgres.causes import cause
from service.storage.postgres.engine import FAILURES, Database, connection_options

REVISIONS = ("001",)
"""Every revision, oldest first, which is their order as texts; the last is the one this code reads and writes."""

_READ = """
    SELECT version_num, (SELECT convert_from(value, 'UTF8') FROM store_meta WHERE name = 'oldest_code')
    FROM alembic_version
"""


class Schema(NamedTuple):
    """The revision that tables are at, empty where there are none, and the oldest whose code can use them still."""

    revision: str = ""
    oldest_code: str = ""

    @property
    def is_newer(self) -> bool:
        """Whether a newer version of this service has made it."""
        return self.revision > REVISIONS[-1]

    @property
    def is_too_new(self) -> bool:
        """Whether this code cannot work with it although it is newer."""
        return self.is_newer and self.oldest_code > REVISIONS[-1]

    @property
    def is_too_old(self) -> bool:
        """Whether it has still to be brought to what this code needs."""
        return self.revision < REVISIONS[-1]


async def read_schema(place: PostgresPlace) -> Schema:
    """Return what a database's tables say of themselves. Raises StoreUnavailable."""
    try:
        connection = await asyncpg.connect(**connection_options(place))
        try:
            return _schema(await connection.fetch(_READ))
        except asyncpg.UndefinedTableError:
            return Schema()
        finally:
            await connection.close()
    except FAILURES as error:
        # A time that ran out has no text.
        why = str(error) or cause(error, USUAL.patience)
        raise StoreUnavailable(f"The store {place.shown} cannot be read: {why}.") from error


async def read_revision(place: PostgresPlace) -> str:
    """Return the revision written in a database, empty where none is. Raises StoreUnavailable."""
    return (await read_schema(place)).revision


def check_known(place: PostgresPlace, schema: Schema) -> None:
    """Raise StoreUnavailable where a schema is too new for this code."""
    if schema.is_too_new:
        raise StoreUnavailable(
            f"The store {place.shown} is at revision {schema.revision}, written by a newer version "
            f"of this service; this one works with {REVISIONS[-1]}."
        )


async def check_current(place: PostgresPlace) -> None:
    """Raise StoreUnavailable unless this code can work with a database as it is."""
    schema = await read_schema(place)
    check_known(place, schema)
    if schema.is_too_old:
        found = f"is at revision {schema.revision}" if schema.revision else "has no tables yet"
        raise StoreUnavailable(
            f"The store {place.shown} {found}, and {REVISIONS[-1]} is required: "
            "run `checkout migrate`."
        )


async def check_running(database: Database) -> None:
    """Raise StoreUnavailable where somebody has changed the schema to one that this code cannot work with."""
    schema = _schema(await database.read(_READ))
    if schema.is_too_old:
        raise StoreUnavailable("The store's schema is too old: run `checkout migrate`.")
    if schema.is_too_new:
        raise StoreUnavailable("The store's schema is too new: run a newer version of the service.")


def _schema(rows: Sequence[asyncpg.Record]) -> Schema:
    return next((Schema(revision, oldest or "") for revision, oldest in rows), Schema())
