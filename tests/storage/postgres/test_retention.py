"""Deleting old sessions in PostgreSQL: nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.core.errors import StoreConflict, StoreUnavailable
from service.core.ports import Store
from service.core.record import RequestKey
from service.storage.postgres import retention
from service.storage.registry import open_store
from tests.storage.records import HOUR, NOW, changed, event, record, session_id, unmatched

OLD = 100
NEW = 50


@pytest.fixture
async def impatient(url: str) -> AsyncIterator[Store]:
    """Open a store whose statements fail where they would have to wait for a lock."""
    store = await open_store(f"{url}?lock_timeout=1s")
    yield store
    await store.close()


@pytest.fixture
async def deleting(
    url: str, impatient: Store
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Delete many sessions in a transaction that does not end."""
    for number in range(OLD):
        key = RequestKey("shop", f"old-{number}")
        await impatient.create(record(number, key))
        links = (f"payment:old-{number}",)
        await impatient.save(changed(record(number, key)), expected_version=1, references=links)
    connection = await asyncpg.connect(url)
    await connection.execute("BEGIN")
    ids = [session_id(number) for number in range(OLD - 1)]
    gone = await connection.fetchval(retention._DELETE, ids, [2] * len(ids))
    assert gone == OLD - 1
    yield connection
    await connection.close()


async def test_nobody_waits_for_a_deletion(
    impatient: Store, deleting: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """While sessions are being deleted, creates, saves, webhooks and reads of others go on."""
    for number in range(OLD, OLD + NEW):
        key = RequestKey("shop", f"new-{number}")
        await impatient.create(record(number, key))
        saved = changed(record(number, key))
        links = (f"payment:new-{number}",)
        news = event(1000 + number, session_id=session_id(number))
        await impatient.save(saved, expected_version=1, references=links, event=news)
        await impatient.receive(unmatched(number))
        assert await impatient.find(session_id(number)) == saved
    assert await impatient.purge_events(matched_before=NOW, unmatched_before=NOW, limit=9) == 0
    later = NOW + 2 * HOUR
    assert len((await impatient.claim_due(later, later, 2 * (OLD + NEW))).records) == NEW + 1
    blocked = await deleting.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    assert blocked == 0


async def test_another_replica_deletes_what_is_left(
    impatient: Store, deleting: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A second deletion of the same sessions leaves those to the first that it is at, and waits for none."""
    old = await impatient.list_old(NOW + HOUR, None, OLD)
    assert len(old) == OLD
    assert await impatient.delete_sessions(old) == 1


async def test_whoever_wants_a_deleted_session_waits(
    impatient: Store, deleting: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A save of a session that is being deleted has to wait: this is what the other tests would notice."""
    with pytest.raises(StoreUnavailable):
        await impatient.save(changed(changed(record(1))), expected_version=2)
    await deleting.execute("COMMIT")
    with pytest.raises(StoreConflict):
        await impatient.save(changed(changed(record(1))), expected_version=2)


async def test_deletions_race_saves(url: str) -> None:
    """Where a deletion and a save of one session race, one of them wins and the other changes nothing."""
    store = await open_store(url)
    for number in range(20):
        await store.create(record(number))
        save = store.save(
            changed(record(number)), expected_version=1, references=(f"payment:{number}",)
        )
        delete = store.delete_sessions([record(number)])
        saved, deleted = await asyncio.gather(
            *(save, delete)[:: 1 - number % 2 * 2], return_exceptions=True
        )
        if number % 2:
            saved, deleted = deleted, saved
        assert (saved is None) != (deleted == 1)
        found = await store.find(session_id(number))
        assert (found is None) == (deleted == 1)
        linked = await store.find_by_reference("dodo", "default", (f"payment:{number}",))
        assert linked == found
    await store.close()
