"""Brings a PostgreSQL database to the newest revision, once however many start it together."""

import asyncio
from functools import partial

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.core.errors import StoreUnavailable
from service.storage.location import PostgresPlace
from service.storage.postgres.engine import FAILURES, connection_options
from service.storage.postgres.revision import REVISIONS, check_known, read_schema

# Any number will do that nothing else in the database locks.
_LOCK = text("SELECT pg_advisory_xact_lock(4842313206)")


def migrate(place: PostgresPlace, config: Config) -> str:
    """Bring a database to the required revision at least, and return the one it is at. Raises StoreUnavailable."""
    return asyncio.run(_migrate(place, config))


async def _migrate(place: PostgresPlace, config: Config) -> str:
    # A migration may take longer than any statement of the service.
    options = connection_options(place) | {"command_timeout": None}

    schema = await read_schema(place)
    check_known(place, schema)
    if schema.is_newer:
        # A newer version of the service is being rolled out beside this one.
        return schema.revision
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(asyncpg.connect, **options),
        poolclass=NullPool,
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, config)
    except (SQLAlchemyError, *FAILURES) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"The store {place.shown} cannot be migrated: {cause}.") from error
    except CommandError as error:
        raise StoreUnavailable(
            f"The store {place.shown} holds the tables of something else, at a revision of its own; "
            "give this service a database to itself."
        ) from error
    finally:
        await engine.dispose()
    return REVISIONS[-1]


def _upgrade(connection: Connection, config: Config) -> None:
    # Whoever comes second finds the tables made once the lock is theirs.
    connection.execute(_LOCK)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
