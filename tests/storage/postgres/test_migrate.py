"""Migrations of a PostgreSQL database: once, whole, and never behind a newer version's back."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from service.core.errors import StoreUnavailable
from service.storage import migrations
from service.storage.location import postgres_place
from service.storage.migrate import alembic_config, migrate
from service.storage.postgres import migrate as migration
from service.storage.postgres.revision import REVISIONS, read_revision
from service.storage.registry import open_store
from service.storage.revision import pending_revision
from tests.processes import ANY_PORT, CHECKOUT, environment
from tests.storage.postgres.conftest import read, run
from tests.storage.postgres.server import Server

BROKEN = f"""
from alembic import op

revision = "broken"
down_revision = "{REVISIONS[-1]}"


def upgrade() -> None:
    op.execute("CREATE TABLE half (name TEXT)")
    op.execute("CREATE TABLE half (name TEXT)")
"""


NEWER = """
    UPDATE alembic_version SET version_num = '999';
    UPDATE store_meta SET value = '999' WHERE name = 'oldest_code'
"""

HOLD = "SELECT pg_advisory_lock(4842313206)"
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    """Provide names that no database has."""
    return (f"empty_{number}" for number in count())


@pytest.fixture
def empty_url(server: Server, names: Iterator[str]) -> str:
    """Provide a database without tables."""
    name = next(names)
    run(server.url(), f"CREATE DATABASE {name}")
    return server.url(name)


def test_code_and_migrations_agree() -> None:
    """The revisions that the code knows are those of the migrations, in order."""
    scripts = ScriptDirectory.from_config(alembic_config("postgres"))
    assert [one.revision for one in scripts.walk_revisions()][::-1] == list(REVISIONS)


async def test_replicas_migrate_together(empty_url: str) -> None:
    """Of replicas that start at once one makes the tables, and all find them made."""
    assert await pending_revision(empty_url) == REVISIONS[-1]
    answers = await asyncio.gather(*(asyncio.to_thread(migrate, empty_url) for _ in range(3)))
    assert answers == [REVISIONS[-1]] * 3
    assert await pending_revision(empty_url) == ""
    store = await open_store(empty_url)
    assert len(await store.secret()) == 32
    await store.close()


async def test_database_without_tables_is_refused(empty_url: str) -> None:
    """A database that was never migrated is refused with what to do about it."""
    with pytest.raises(StoreUnavailable, match=r"no tables yet.*run `checkout migrate`"):
        await open_store(empty_url)


async def test_older_database_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an earlier revision is refused with both revisions."""
    monkeypatch.setattr("service.storage.postgres.revision.REVISIONS", (*REVISIONS, "next"))
    with pytest.raises(StoreUnavailable, match=f"at revision {REVISIONS[-1]}, and next is req"):
        await open_store(url)


def test_newer_database_is_refused(empty_url: str) -> None:
    """A database of a revision nobody here knows is neither opened nor migrated."""
    migrate(empty_url)
    run(empty_url, NEWER)
    with pytest.raises(StoreUnavailable, match="revision 999, written by a newer version"):
        asyncio.run(open_store(empty_url))
    with pytest.raises(StoreUnavailable, match="revision 999, written by a newer version"):
        migrate(empty_url)


def test_broken_migration_leaves_the_database_as_it_was(url: str, tmp_path: Path) -> None:
    """A migration that fails half-way is undone, tables included."""
    folder = shutil.copytree(Path(migrations.__file__).parent, tmp_path / "migrations")
    (folder / "postgres" / "p999_broken.py").write_text(BROKEN)
    config = alembic_config("postgres")
    config.set_main_option("script_location", str(folder))
    with pytest.raises(StoreUnavailable, match='relation "half" already exists'):
        migration.migrate(postgres_place(url), config)
    assert asyncio.run(read_revision(postgres_place(url))) == REVISIONS[-1]
    assert read(url, "SELECT to_regclass('half')") is None


def test_database_that_is_not_there_is_named(server: Server) -> None:
    """Without the database it is said which one is missing."""
    with pytest.raises(StoreUnavailable, match='database "nowhere" does not exist'):
        migrate(server.url("nowhere"))


def test_database_of_another_program_is_left_alone(empty_url: str) -> None:
    """Tables that somebody else migrates by the same tool are told from ours, and stay as they are."""
    run(empty_url, "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
    run(empty_url, "INSERT INTO alembic_version VALUES ('ae1027a6acf')")
    with pytest.raises(StoreUnavailable, match="holds the tables of something else"):
        migrate(empty_url)
    assert read(empty_url, "SELECT version_num FROM alembic_version") == "ae1027a6acf"
    assert read(empty_url, "SELECT to_regclass('sessions')") is None


async def test_a_start_that_is_interrupted_says_so(empty_url: str, tmp_path: Path) -> None:
    """Ctrl-C while the store is migrated undoes that, and is answered by a line of words."""
    connection = await asyncpg.connect(empty_url)
    await connection.execute(HOLD)
    starting = await asyncio.create_subprocess_exec(
        *(CHECKOUT, "serve", "--sandbox"),
        cwd=tmp_path,
        env=environment({**ANY_PORT, "CHECKOUT_STORE_URL": empty_url}),
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    async with asyncio.timeout(PATIENCE):
        try:
            while not await connection.fetchval(WAITING):
                await asyncio.sleep(0.05)
        finally:
            # As a terminal does, which knows no difference between a service and what that has started.
            os.killpg(starting.pid, signal.SIGINT)
        _, said = await starting.communicate()
    await connection.close()
    assert starting.returncode == 1
    assert said.decode() == "Error: The migration was interrupted, and the store is as it was.\n"
    assert await pending_revision(empty_url) == REVISIONS[-1]
