"""How many connections a process holds, and how long anything waits."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from service.core.errors import StoreUnavailable
from service.storage.connections import Connections
from service.storage.location import postgres_place
from service.storage.postgres.engine import Database, session_settings
from service.storage.registry import open_store
from tests.storage.records import changed, record, session_id

PATIENCE = timedelta(seconds=60)
SOON = 0.2

HELD = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'checkout'"


async def test_no_more_connections_than_were_set(url: str) -> None:
    """However much is asked at once, a process holds as many connections as it may."""
    store = await open_store(url, Connections(writers=3, readers=2, patience=PATIENCE))
    await asyncio.gather(*(store.create(record(number)) for number in range(40)))
    await asyncio.gather(*(store.find(session_id(number)) for number in range(40)))
    beside = await asyncpg.connect(url)
    assert await beside.fetchval(HELD) == 5
    await beside.close()
    await store.close()


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_waiting_for_a_connection_has_an_end(url: str, kind: str) -> None:
    """When all connections are in use, a call says so in time, and the next one finds a free one."""
    database = Database(postgres_place(url), Connections(1, 1, PATIENCE))
    pool = database._readers if kind == "read" else database._writers
    rival = await asyncpg.connect(url)
    await rival.execute("SELECT pg_advisory_lock(1)")
    holding = asyncio.ensure_future(pool.fetch("SELECT pg_advisory_lock(1)"))
    while await rival.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
        await asyncio.sleep(0.01)
    pool._patience = SOON
    with pytest.raises(StoreUnavailable, match="Every connection to the store is in use"):
        await getattr(database, kind)("SELECT 1")
    pool._patience = PATIENCE.total_seconds()
    await rival.execute("SELECT pg_advisory_unlock(1)")
    await holding
    # Who has waited in vain holds no place.
    assert len(await pool.fetch("SELECT 1")) == 1
    await rival.close()
    await database.close()


async def test_a_statement_has_an_end(url: str) -> None:
    """A statement that meets a lock is given up in time, changes nothing, and frees its connection."""
    store = await open_store(url)
    await store.create(record())
    hurried = await open_store(f"{url}?statement_timeout=500ms", Connections(1, 1, PATIENCE))
    rival = await asyncpg.connect(url)
    await rival.execute("BEGIN; SELECT FROM sessions FOR UPDATE")
    with pytest.raises(StoreUnavailable):
        await hurried.save(changed(record()), expected_version=1)
    await rival.execute("ROLLBACK")
    assert await store.find(session_id(1)) == record()
    await store.save(changed(record()), expected_version=1)
    await rival.close()
    await hurried.close()
    await store.close()


async def test_the_server_ends_what_a_dead_process_has_begun(url: str) -> None:
    """The server is told of the time-out too, and waits no longer for whoever is gone."""
    database = Database(postgres_place(url), Connections(1, 1, timedelta(seconds=7)))
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        assert await database.write(f"SHOW {setting}") == "8s"
    await database.close()
    own = postgres_place(f"{url}?statement_timeout=3s")
    database = Database(own, Connections())
    assert await database.write("SHOW statement_timeout") == "3s"
    await database.close()


def test_a_pooler_is_told_nothing_that_it_would_refuse() -> None:
    """Before a pooler no setting is sent but the name, which every pooler passes on."""
    place = postgres_place("postgresql://pool:6432/checkout?pooled=true")
    assert session_settings(place, Connections()) == {"application_name": "checkout"}
