"""The feed of changes between replicas: nothing is lost to commits out of order, and what is old is forgotten."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from random import Random
from typing import Any, cast

import asyncpg
import pytest

from service.core.errors import StoreConflict
from service.core.events import NumberedEvent
from service.core.forgetting import Forgetting
from service.core.ports import Store
from service.storage.postgres import sessions
from service.storage.postgres.engine import Database
from service.storage.registry import open_store
from tests.core.conftest import ManualClock, Observations
from tests.storage.events_suite import MANY, begin, change, newest, numbered, timeline
from tests.storage.records import HOUR, NOW, record, session_id

SESSIONS = 40
VERSIONS = 4
FOLLOWERS = 3


class HeldOpen:
    """A database whose statements stay uncommitted for a while, and are sometimes undone."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", random: Random) -> None:
        self._pool = pool
        self._random = random
        self.undone = 0

    async def write(self, statement: str, *arguments: object) -> object:
        """Run a statement, hold its transaction open, and end it one way or the other."""
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            value: object = await connection.fetchval(statement, *arguments)
            await asyncio.sleep(self._random.uniform(0, 0.02))
            if self._random.random() < 0.2:
                self.undone += 1
                await transaction.rollback()
                raise StoreConflict
            await transaction.commit()
            return value


@pytest.fixture
async def held(url: str) -> AsyncIterator[HeldOpen]:
    """Provide a database whose transactions take their time."""
    async with asyncpg.create_pool(url, min_size=1, max_size=12) as pool:
        yield HeldOpen(pool, Random(5))


async def live(database: HeldOpen, number: int) -> None:
    """Make a session and each of its versions, again where that was undone."""
    version = 0
    while version < VERSIONS:
        with suppress(StoreConflict):
            await step(cast("Any", database), number, version)
            version += 1


async def step(database: Database, number: int, version: int) -> None:
    """Make the next version of a session."""
    after = record(number, version=version + 1)
    facts = (change(f"type.{version + 1}"),)
    if version == 0:
        await sessions.create(database, after, facts)
        return
    await sessions.save(
        database,
        after,
        expected_version=version,
        references=(),
        event=None,
        matched=(),
        facts=facts,
    )


async def follow(
    store: Store, start: int, writers: "asyncio.Future[list[None]]"
) -> list[NumberedEvent]:
    """Number and read what is committed, until nobody writes any more and nothing is left."""
    seen: list[NumberedEvent] = []
    is_last = False
    while True:
        await store.number_events(7)
        events = await store.read_events(seen[-1].position if seen else start, 5)
        seen += events
        if is_last and not events and not await store.number_events(MANY):
            return seen
        # What was committed before this look is found by the next one.
        is_last = writers.done() and not events
        await asyncio.sleep(0)


async def test_transactions_out_of_order_lose_nothing(url: str, held: HeldOpen) -> None:
    """However long transactions stay open, each follower reads each committed change once and in order."""
    async with AsyncExitStack() as opened:
        stores = []
        for _ in range(FOLLOWERS):
            stores.append(await open_store(url))
            opened.push_async_callback(stores[-1].close)
        start = await newest(stores[0])
        writers = asyncio.gather(*(live(held, number) for number in range(SESSIONS)))
        logs = await asyncio.gather(*(follow(store, start, writers) for store in stores))
        await writers
        assert held.undone > 0
        for log in logs:
            check(log)
        assert all(log == logs[0] for log in logs)


def check(log: Sequence[NumberedEvent]) -> None:
    """Hold a log to every change of every session, once and in order."""
    positions = [one.position for one in log]
    assert positions == sorted(set(positions))
    versions = defaultdict(list)
    for one in log:
        versions[one.session_id].append(one.version)
    whole = list(range(1, VERSIONS + 1))
    assert dict(versions) == {session_id(number): whole for number in range(SESSIONS)}


async def test_an_open_transaction_holds_up_nobody(url: str, store: Store) -> None:
    """Who numbers passes over what is not committed; it gets its position, a higher one, afterwards."""
    start = await newest(store)
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "INSERT INTO feed (session_id, version, types, time) VALUES ('cs_open', 1, 'type.1', 0)"
    )
    await begin(store, 1)
    (first,) = await numbered(store, start)
    assert first.session_id == session_id(1)
    await transaction.commit()
    await connection.close()
    (second,) = await numbered(store, first.position)
    assert second.session_id == "cs_open"


async def test_one_numbers_at_a_time(url: str, store: Store) -> None:
    """While somebody else holds the counter, nothing is numbered and nobody waits."""
    start = await newest(store)
    await begin(store, 1)
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("SELECT FROM feed_counter FOR UPDATE")
        assert await store.number_events(MANY) == 0
        assert await store.read_events(start, MANY) == []
    await connection.close()
    assert await store.number_events(MANY) == 1


async def test_old_positions_are_forgotten_from_the_oldest_on(store: Store) -> None:
    """What is left has no holes, timelines stay, and the newest position stays known."""
    start = await newest(store)
    times = (NOW - 3 * HOUR, NOW - 2 * HOUR, NOW, NOW - HOUR)
    for number, time in enumerate(times):
        facts = (change("session.created", time=time),)
        await store.create(record(number), facts)
    before = await numbered(store, start)
    assert await store.forget_positions(NOW, 1) == 1
    assert await store.forget_positions(NOW, MANY) == 1
    assert await store.forget_positions(NOW, MANY) == 0
    assert await store.read_events(0, MANY) == before[2:]
    assert await store.event_range() == (before[2].position, before[3].position)
    assert await store.forget_positions(NOW + HOUR, MANY) == 2
    assert await store.event_range() == (before[3].position + 1, before[3].position)
    assert len(await timeline(store, 0)) == 1


async def test_positions_live_for_a_week(store: Store) -> None:
    """The service gives every change a position, and forgets those that are older than seven days."""
    start = await newest(store)
    for number, time in enumerate((NOW - HOUR, NOW + HOUR)):
        await store.create(record(number), (change("session.created", time=time),))
    clock = ManualClock()
    clock.time = NOW + timedelta(days=7)
    await Forgetting(store=store, observer=Observations(), clock=clock, keep=None).forget()
    assert [one.time for one in await store.read_events(start, MANY)] == [NOW + HOUR]
    assert await store.number_events(MANY) == 0


async def test_what_has_no_position_is_not_forgotten(store: Store) -> None:
    """A change that nobody has numbered yet is kept for whoever will."""
    start = await newest(store)
    await begin(store, 1)
    assert await store.forget_positions(NOW + timedelta(days=99), MANY) == 0
    assert len(await numbered(store, start)) == 1


async def test_looks_do_not_grow_with_the_feed(url: str) -> None:
    """What is new, what is oldest and what has no position are each at an end of an index."""
    connection = await asyncpg.connect(url)
    await connection.execute("""
        INSERT INTO feed (position, session_id, version, types, time)
        SELECT i, 'cs_' || i, 1, 'type.1', 0 FROM generate_series(1000, 9000) AS i
    """)
    await connection.execute("ANALYZE feed")
    for look in (
        "SELECT position FROM feed WHERE position > 8990 ORDER BY position LIMIT 5",
        "SELECT min(position) FROM feed",
        "SELECT id FROM feed WHERE position IS NULL ORDER BY id LIMIT 5",
    ):
        plan = "\n".join(line for (line,) in await connection.fetch(f"EXPLAIN {look}"))
        assert "Seq Scan" not in plan, plan
    await connection.close()
