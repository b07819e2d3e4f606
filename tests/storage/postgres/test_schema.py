"""Replicas of two versions beside one another, and a schema that changes while they run."""

from asyncio import to_thread
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.core.ports import Store
from service.readiness import Readiness
from service.storage.migrate import migrate
from service.storage.postgres.revision import REVISIONS
from service.storage.registry import open_store
from service.storage.revision import pending_revision
from tests.storage.postgres.conftest import run
from tests.storage.postgres.server import Server
from tests.storage.records import changed, event, query, record, session_id

EXPANDED = """
    ALTER TABLE sessions ADD COLUMN colour TEXT;
    ALTER TABLE inbox ADD COLUMN colour TEXT;
    ALTER TABLE provider_refs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';
    CREATE INDEX sessions_by_colour ON sessions (colour);
    UPDATE alembic_version SET version_num = '999'
"""
CONTRACTED = "UPDATE store_meta SET value = '999' WHERE name = 'oldest_code'"
RESTORED = "UPDATE alembic_version SET version_num = '000'"


@pytest.fixture
async def old_url(server: Server) -> AsyncIterator[str]:
    """Provide a migrated database of one's own, whose schema may be changed."""
    connection = await asyncpg.connect(server.url())
    await connection.execute("CREATE DATABASE rolling")
    url = server.url("rolling")
    yield url
    await connection.execute("DROP DATABASE rolling WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def store(old_url: str) -> AsyncIterator[Store]:
    """Open the store of a running replica."""
    await to_thread(migrate, old_url)
    opened = await open_store(old_url)
    yield opened
    await opened.close()


async def used(store: Store, number: int) -> None:
    """Do a bit of everything."""
    await store.create(record(number))
    refs = (f"payment:{number}",)
    following = changed(record(number))
    await store.save(following, expected_version=1, references=refs, event=event(number))
    assert await store.find(session_id(number)) == following
    assert await store.find_by_reference("dodo", "default", refs) == following
    assert await store.list_sessions(query(limit=1))
    await store.ping()


async def test_a_running_replica_works_on_with_what_a_newer_one_has_added(
    store: Store, old_url: str
) -> None:
    """Added columns and tables disturb no replica of the version before, and its restart neither."""
    await used(store, 1)
    await to_thread(run, old_url, EXPANDED)
    await used(store, 2)
    assert await pending_revision(old_url) == ""
    assert await to_thread(migrate, old_url) == "999"
    restarted = await open_store(old_url)
    await used(restarted, 3)
    await restarted.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            EXPANDED + ";" + CONTRACTED,
            "the store's schema is too new: run a newer version of the service",
        ),
        (RESTORED, "the store's schema is too old: run `checkout migrate`"),
    ],
    ids=["too new", "too old"],
)
async def test_readiness_says_what_is_wrong_with_the_schema(
    store: Store, old_url: str, change: str, reason: str
) -> None:
    """A schema that this code cannot work with any more is told of as soon as somebody looks, until it is mended."""
    healths: list[bool] = []

    async def set_serving(on: bool) -> None:
        healths.append(on)

    readiness = Readiness(store=store, clock=store.clock, set_serving=set_serving)
    await readiness.update()
    await to_thread(run, old_url, change)
    await readiness.update()
    assert await readiness.reason() == reason
    mended = f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'"
    await to_thread(run, old_url, mended)
    await readiness.update()
    assert healths == [True, False, True]
