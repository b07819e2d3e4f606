"""Copies a store from its SQLite file into a PostgreSQL database: all of it or nothing."""

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing

import asyncpg

from service.core.errors import StoreUnavailable
from service.storage import revision
from service.storage.connections import USUAL
from service.storage.location import PostgresPlace, names_server, postgres_place, sqlite_path
from service.storage.postgres.engine import FAILURES, connection_options, session_settings
from service.storage.postgres.revision import check_current
from service.storage.sqlite.engine import connect
from service.storage.sqlite.lock import StoreLock
from service.storage.transfer import (
    COUNTER,
    META,
    PARTS,
    SEQUENCES,
    Part,
    meta_rows,
    newest_position,
)

# A service that runs has connections for as long as it runs, and their name passes through a pooler.
_IS_SERVED = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
    )
"""
_LOOKS = 30
_PAUSE = 0.1
_TABLES = ", ".join(part.table for part in PARTS)


def copy_store(source: str, target: str) -> Mapping[str, int]:
    """Copy the store of a SQLite URL into that of a PostgreSQL URL; return how many rows each table has got.

    Raises ValueError for URLs of other kinds, StoreUnavailable where the source is in use or not at the required
    revision, the target is not or holds anything, or the copy fails, which leaves the target as it was.
    """
    if names_server(source) or not names_server(target):
        raise ValueError("A store is copied from a sqlite:/// URL to a postgresql:// URL.")
    file, database = sqlite_path(source), postgres_place(target)
    if not file.exists():
        raise StoreUnavailable(f"There is no store {file}.")
    revision.check_current(file)
    with StoreLock(file):
        try:
            with closing(connect(file, mode="ro")) as opened:
                return asyncio.run(_copy(opened, database))
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The store {file} cannot be read: {error}.") from error
        except FAILURES as error:
            raise StoreUnavailable(
                f"The store {database.shown} cannot be written: {error}."
            ) from error


async def _copy(source: sqlite3.Connection, place: PostgresPlace) -> Mapping[str, int]:
    await check_current(place)
    # A large store takes longer than any statement of the service.
    options = connection_options(place) | {"command_timeout": None}
    target = await asyncpg.connect(**options)
    try:
        await _check_unserved(target, place)
        source.execute("BEGIN")
        async with target.transaction():
            await _claim(target, place)
            copied = {part.table: await _copy_part(source, target, part) for part in PARTS}
            await _copy_meta(source, target)
        await target.execute(f"ANALYZE {_TABLES}")
        return copied
    finally:
        await target.close()


async def _check_unserved(
    target: "asyncpg.Connection[asyncpg.Record]", place: PostgresPlace
) -> None:
    name = session_settings(place, USUAL).get("application_name")
    # The connections of a service that has just ended may be there for a moment still.
    for _ in range(_LOOKS):
        if not await target.fetchval(_IS_SERVED, name):
            return
        await asyncio.sleep(_PAUSE)
    # It would go on by the secret that it has read, with which nothing that is copied was made.
    raise _in_use(place)


async def _claim(target: "asyncpg.Connection[asyncpg.Record]", place: PostgresPlace) -> None:
    try:
        await target.execute(f"LOCK TABLE {_TABLES} IN EXCLUSIVE MODE NOWAIT")
    except asyncpg.LockNotAvailableError as error:
        raise _in_use(place) from error
    for part in PARTS:
        if await target.fetchval(f"SELECT EXISTS (SELECT FROM {part.table})"):  # noqa: S608 - a name of ours
            raise StoreUnavailable(
                f"The store {place.shown} is not empty: its table {part.table} has rows."
            )


def _in_use(place: PostgresPlace) -> StoreUnavailable:
    return StoreUnavailable(f"The store {place.shown} is in use: stop the service first.")


async def _copy_part(
    source: sqlite3.Connection, target: "asyncpg.Connection[asyncpg.Record]", part: Part
) -> int:
    rows = map(part.row, source.execute(part.select))
    await target.copy_records_to_table(part.table, records=rows, columns=part.columns)
    count = "SELECT count(*) FROM {}"
    ((expected,),) = source.execute(count.format(f"({part.select})")).fetchall()
    counted = await target.fetchval(count.format(part.table))
    if counted != expected:
        raise StoreUnavailable(
            f"The table {part.table} has {expected} rows, of which {counted} were copied."
        )
    return int(expected)


async def _copy_meta(
    source: sqlite3.Connection, target: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for name, value in meta_rows(source):
        await target.execute(META, value, name)
    for sequence in SEQUENCES:
        await target.execute(sequence)
    await target.execute(COUNTER, newest_position(source))
