"""Migrations: from nothing to the newest revision, or not at all."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from service.core.errors import EventKnown, StoreUnavailable
from service.core.unmatched import Facts, Kind, UnmatchedQuery
from service.storage import migrate as migration
from service.storage import migrations
from service.storage.migrate import alembic_config, migrate
from service.storage.migrations.versions import r001_sessions
from service.storage.registry import open_store
from service.storage.revision import REVISIONS, current_revision, required_revision
from service.storage.sqlite.lock import StoreLock
from tests.storage.records import EPOCH, HOUR, session_id, unmatched

SECOND = timedelta(seconds=1)

BROKEN = f"""
from alembic import op

revision = "broken"
down_revision = "{REVISIONS[-1]}"


def upgrade() -> None:
    op.execute("CREATE TABLE half (name TEXT)")
    op.execute("CREATE TABLE half (name TEXT)")
"""


def test_code_and_migrations_agree() -> None:
    """The revisions the service knows are those of the migrations, in order."""
    scripts = ScriptDirectory.from_config(alembic_config())
    history = [script.revision for script in scripts.walk_revisions()]
    assert history[::-1] == list(REVISIONS)
    assert scripts.get_current_head() == required_revision()


async def test_makes_a_store_from_nothing(tmp_path: Path) -> None:
    """Folders and file are made for their owner alone, and the store opens."""
    path = tmp_path / "new" / "folder 100%" / "store.db"
    url = f"sqlite:///{path}"
    assert current_revision(url) == ""
    assert migrate(url) == required_revision()
    assert current_revision(url) == required_revision()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    store = await open_store(url)
    await store.ping()
    log = path.with_name("store.db-wal")
    assert log.stat().st_mode & 0o777 == 0o600
    await store.close()


async def test_events_of_the_first_revision_stay_in_sight(tmp_path: Path) -> None:
    """An event without a session is listed as reduced, one with a session is known, and both once."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as database, database:
        for statement in r001_sessions._STATEMENTS:
            database.execute(statement)
        database.execute("CREATE TABLE alembic_version (version_num TEXT NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('001')")
        database.executemany(
            "INSERT INTO inbox VALUES ('dodo', 'default', ?, ?, ?, ?, ?)",
            [
                ("evt_1", "payment.succeeded", 2_000_000, session_id(1), b"{}"),
                ("evt_2", "refund.succeeded", 1_000_000, None, b"{}"),
            ],
        )
    url = f"sqlite:///{path}"
    migrate(url)
    store = await open_store(url)
    (listed,) = await store.list_unmatched(UnmatchedQuery())
    assert (listed.event_id, listed.event_type, listed.reduced) == ("evt_2", "", True)
    assert (listed.received, listed.facts) == (EPOCH + SECOND, Facts(live=False, kind=Kind.REFUND))
    for number in (1, 2):
        with pytest.raises(EventKnown):
            await store.receive(unmatched(number))
    later = EPOCH + HOUR
    assert await store.purge_events(matched_before=later, unmatched_before=later, limit=9) == 1
    await store.close()


async def test_migrating_again_changes_nothing(url: str) -> None:
    """A store at the newest revision keeps what it has."""
    store = await open_store(url)
    secret = await store.secret()
    await store.close()
    migrate(url)
    again = await open_store(url)
    assert await again.secret() == secret
    await again.close()


def test_each_store_has_its_own_secret(tmp_path: Path) -> None:
    """No two stores share their id or their key."""
    values: set[object] = set()
    for name in ("a.db", "b.db"):
        migrate(f"sqlite:///{tmp_path / name}")
        with closing(sqlite3.connect(tmp_path / name)) as database:
            rows = database.execute("SELECT value FROM store_meta WHERE name <> 'probe'")
            values.update(value for (value,) in rows)
    assert len(values) == 4


async def test_store_without_tables_is_refused(tmp_path: Path) -> None:
    """A store that was never migrated is refused with what to do about it."""
    for path in (tmp_path / "none.db", tmp_path / "empty.db"):
        if path.stem == "empty":
            path.touch()
        with pytest.raises(StoreUnavailable, match=r"no tables yet.*run `checkout migrate`"):
            await open_store(f"sqlite:///{path}")
    assert not (tmp_path / "none.db").exists()


async def test_older_store_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of an earlier revision is refused with both revisions."""
    monkeypatch.setattr("service.storage.revision.REVISIONS", (*REVISIONS, "next"))
    with pytest.raises(StoreUnavailable, match=f"at revision {REVISIONS[-1]}, and next is req"):
        await open_store(url)


async def test_newer_store_is_refused(url: str, path: Path) -> None:
    """A store of a revision nobody here knows is neither opened nor migrated."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '999'")
    with pytest.raises(StoreUnavailable, match="revision 999, written by a newer version"):
        await open_store(url)
    with pytest.raises(StoreUnavailable, match="revision 999, written by a newer version"):
        migrate(url)
    assert current_revision(url) == "999"


async def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A file that is no database is left alone."""
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 100)
    for attempt in (migrate, current_revision):
        with pytest.raises(StoreUnavailable, match="not a database"):
            attempt(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        await open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear reader")


async def test_store_in_use_is_refused(url: str) -> None:
    """Neither a second service nor a migration touches a store that is open."""
    store = await open_store(url)
    with pytest.raises(StoreUnavailable, match="in use by the process"):
        migrate(url)
    with pytest.raises(StoreUnavailable, match="in use by the process"):
        await open_store(url)
    assert current_revision(url) == required_revision()
    await store.close()


def test_broken_migration_leaves_the_store_as_it_was(
    url: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that fails half-way is undone, tables included."""
    folder = shutil.copytree(Path(migrations.__file__).parent, tmp_path / "migrations")
    (folder / "versions" / "r999_broken.py").write_text(BROKEN)

    def broken_config() -> Config:
        config = alembic_config()
        config.set_main_option("script_location", str(folder))
        return config

    monkeypatch.setattr(migration, "alembic_config", broken_config)
    with pytest.raises(StoreUnavailable, match="table half already exists"):
        migrate(url)
    assert current_revision(url) == REVISIONS[-1]
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall()
    assert names == []
    StoreLock(path).release()


def test_program_migrates(tmp_path: Path) -> None:
    """The program migrates the store it is given."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    assert run("-m", "service.storage.migrate", url).returncode == 0
    assert current_revision(url) == required_revision()


def test_program_says_what_is_wrong() -> None:
    """The program fails with one line and no trace."""
    failed = run("-m", "service.storage.migrate", "mysql://localhost")
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "store URL must" in failed.stderr


def test_serving_needs_no_migration_tool() -> None:
    """Opening a store imports neither Alembic nor SQLAlchemy."""
    code = (
        "import sys, service.storage.registry, service.storage.revision;"
        "sys.exit(any(name in sys.modules for name in ('alembic', 'sqlalchemy')))"
    )
    assert run("-c", code).returncode == 0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
