"""Behind a real PgBouncer in transaction mode the store does what every store must."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from service.core.errors import StoreUnavailable
from service.core.model import State
from service.core.ports import Store
from service.storage.postgres.store import PostgresStore
from service.storage.registry import open_store
from tests.core.builders import request
from tests.core.conftest import CountingIds, serving
from tests.core.scripted import ScriptedProvider
from tests.storage.postgres.conftest import emptied
from tests.storage.postgres.pgbouncer import SERVER_SESSIONS, executable, running_pooler
from tests.storage.postgres.replicas import SURELY, Future, LaterClock, finished
from tests.storage.postgres.server import Server
from tests.storage.postgres.test_store import (  # noqa: F401 - run once more, on another URL
    TestDue,
    TestEvents,
    TestInbox,
    TestMarks,
    TestRecords,
    TestReferences,
    TestSaveEach,
    TestUnmatched,
    TestWhole,
)
from tests.storage.records import record, session_id

# `make test` installs it where it may; a machine of somebody without that right still runs everything else.
pytestmark = pytest.mark.skipif(executable() is None, reason="PgBouncer is not installed")

TTL = timedelta(minutes=15)


@pytest.fixture(scope="module")
def pooler(server: Server, migrated_url: str) -> Iterator[int]:
    """Run a pooler before the server for all tests here."""
    with running_pooler(server.port) as port:
        yield port


@pytest.fixture
def url(migrated_url: str, server: Server, pooler: int) -> str:
    """Provide the URL of an empty store behind the pooler."""
    return emptied(migrated_url).replace(str(server.port), str(pooler)) + "?pooled=true"


async def test_a_session_lives_its_life(url: str, store: Store) -> None:
    """Sessions are created, found again, ended by request and by time, as without a pooler."""
    future = Future()
    clock: Any = LaterClock(store, future)
    service = await serving(store, clock, ScriptedProvider(), CountingIds())
    made = [
        await service.create(request(ttl=TTL, request_id=f"r{n}"), caller="shop", deadline=None)
        for n in range(5)
    ]
    first, *others = [one.session.session_id for one in made]
    assert (await service.expire(first)).session.state is State.EXPIRED
    future.ahead = TTL + SURELY
    assert await service.sweep.sweep() == len(others)
    await finished(service.background)
    stored = [(await store.find(one)) for one in others]
    assert {one and one.session.state for one in stored} == {State.EXPIRED}
    again = await service.create(request(ttl=TTL, request_id="r0"), caller="shop", deadline=None)
    assert (again.replayed, again.session.session_id) == (True, first)


async def test_many_connections_share_few(url: str, store: PostgresStore, server: Server) -> None:
    """What a process holds open is the pooler's affair: the server sees no more than it was allowed."""
    await asyncio.gather(*(store.create(record(number)) for number in range(60)))
    await asyncio.gather(*(store.find(session_id(number)) for number in range(60)))
    held = len(store._database._writers._idle) + len(store._database._readers._idle)
    beside = await asyncpg.connect(server.url("checkout"))
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'checkout'"
    assert 1 <= await beside.fetchval(sessions) <= SERVER_SESSIONS < held
    await beside.close()


async def test_a_pooler_must_be_named(url: str) -> None:
    """Without `pooled=true` the store is not opened behind a pooler, rather than failing now and then."""
    with pytest.raises(StoreUnavailable):
        await open_store(url.replace("?pooled=true", ""))
