"""Brings a store to the newest revision; run as a program by `serve`, which imports no Alembic."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.core.errors import StoreUnavailable
from service.storage import migrations
from service.storage.location import place_of
from service.storage.revision import check_known, read_revision, required_revision
from service.storage.sqlite.engine import connect
from service.storage.sqlite.lock import StoreLock

_SQLITE = "versions"
_POSTGRES = "postgres"


def migrate(url: str) -> str:
    """Bring a store to the required revision, making it where there is none; return the revision.

    Raises ValueError for a URL of no known store, StoreUnavailable where it cannot be migrated.
    """
    place = place_of(url)
    if not isinstance(place, Path):
        # Whoever keeps sessions in a file need not pay for the driver of a server.
        from service.storage.postgres.migrate import migrate as migrate_server  # noqa: PLC0415

        return migrate_server(place, alembic_config(_POSTGRES))
    return _migrate_file(place)


def _migrate_file(path: Path) -> str:
    _make_folder(path)
    with StoreLock(path):
        _make_file(path)
        check_known(path, read_revision(path))
        try:
            _upgrade(path)
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreUnavailable(f"The store {path} cannot be migrated: {cause}.") from error
    return required_revision()


def alembic_config(versions: str = _SQLITE) -> Config:
    """Return Alembic's settings for the revisions in a folder of the migrations."""
    config = Config()
    folder = str(Path(migrations.__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("version_locations", f"%(script_location)s/{versions}")
    config.set_main_option("path_separator", "newline")
    return config


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The store's folder {path.parent} cannot be made: {error.strerror}."
        ) from error


def _make_file(path: Path) -> None:
    # SQLite would let the whole group read what it makes, and gives its logs the file's mode.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"The store {path} cannot be made: {error.strerror}.") from error


def _upgrade(path: Path) -> None:
    # Within a transaction it could not be changed.
    with closing(connect(path, mode="rw")) as database:
        database.execute("PRAGMA journal_mode = WAL")
    engine = create_engine(
        URL.create("sqlite"), creator=lambda: connect(path, mode="rw"), poolclass=NullPool
    )
    # The driver would begin a transaction late, and leave the tables' own statements outside it.
    event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def main() -> int:
    """Migrate the store of the URL on the command line."""
    try:
        migrate(sys.argv[1])
    except (StoreUnavailable, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's answer
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
