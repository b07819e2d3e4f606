"""Following sessions on a database that several services share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg
import pytest

from service.core.errors import CheckoutError, CursorOutOfRange, StoreUnavailable
from tests.core.conftest import Service
from tests.core.following import PATIENCE, Watched, names
from tests.core.scripted import ScriptedProvider
from tests.core.test_end import opened
from tests.core.test_webhooks import deliver
from tests.storage.postgres.replicas import Replicas, replicas_on


@asynccontextmanager
async def following(url: str, number: int = 2) -> AsyncIterator[tuple[Replicas, list[Watched]]]:
    """Open services on a database, and what follows it in each."""
    async with replicas_on(url, ScriptedProvider()) as replicas:
        # Their own clock lets no time pass while somebody waits.
        yield (
            replicas,
            [Watched(replace(s, clock=s.store.clock)) for s in replicas.services[:number]],
        )


async def life(service: Service) -> str:
    """Have a session made and paid."""
    session_id = await opened(service)
    await deliver(service, id=session_id, session=session_id, payment=session_id, status="PAID")
    return session_id


async def test_changes_made_elsewhere_are_told(url: str) -> None:
    """Who watches at one service hears of what another one did, and its cursor goes on at a third."""
    async with following(url) as (replicas, (here, there)):
        async with here.stream() as stream:
            (checkpoint,) = await stream.until_checkpoint()
            session_id = await life(replicas.services[2])
            told = await stream.changes(3)
        async with there.stream(cursor=checkpoint.cursor.text()) as stream:
            *again, _ = await stream.until_checkpoint()
    assert [version for _, version, _ in names(told)] == [1, 2, 3]
    assert {name for name, _, _ in names(told)} == {session_id}
    assert names(again) == names(told)


async def test_what_nobody_watched_is_no_news(url: str) -> None:
    """Changes that were never numbered are part of the snapshot, and are not told after it."""
    async with following(url) as (replicas, (watched, _)):
        session_id = await opened(replicas.services[0])
        async with watched.stream() as stream:
            *found, _ = await stream.until_checkpoint()
    assert [told.event for told in found] == [None]
    assert [told.view.session.session_id for told in found if told.view] == [session_id]


async def test_a_forgotten_place_is_told_as_such(url: str) -> None:
    """A cursor that is older than what is kept cannot be gone on from."""
    async with following(url) as (replicas, (watched, _)):
        service = replicas.services[0]
        async with watched.stream() as stream:
            (begin,) = await stream.until_checkpoint()
            await life(service)
            *_, last = await stream.changes(3)
        assert last.event
        later = service.store.clock.now()
        assert await service.store.forget_positions(later, 100) == 3
        with pytest.raises(CursorOutOfRange) as refused:
            async with watched.stream(cursor=begin.cursor.text()):
                pass
        async with watched.stream(cursor=last.cursor.text()) as stream:
            nothing = await stream.until_checkpoint()
    assert refused.value.metadata == {"cause": "too_old"}
    assert len(nothing) == 1


LINGER = """
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(random() * 0.03);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER linger AFTER INSERT ON feed FOR EACH ROW EXECUTE FUNCTION linger()
"""
KILL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.3
"""
STORED = "SELECT session_id, version FROM feed ORDER BY position NULLS LAST"
WRITERS = 8
LIVES = 6


@asynccontextmanager
async def lingering(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Keep every transaction open for a while after its change has its place in line."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(LINGER)
        yield connection
    finally:
        await connection.execute("DROP FUNCTION linger CASCADE")
        await connection.close()


async def write(service: Service) -> None:
    """Make sessions and have them paid, whatever happens to the connections meanwhile."""
    for _ in range(LIVES):
        with suppress(CheckoutError):
            await life(service)


async def kill(connection: asyncpg.Connection, writing: asyncio.Future[list[None]]) -> None:
    """End connections of the services in the middle of what they do."""
    while not writing.done():
        await connection.execute(KILL)
        await asyncio.sleep(0.1)


class Log:
    """What one watcher has heard, and where it goes on."""

    def __init__(self) -> None:
        self.cursor = ""
        self.seen: list[tuple[str, int]] = []

    async def follow(self, watched: Watched) -> None:
        """Note every change, coming back with the last cursor whenever the stream breaks."""
        while True:
            with suppress(StoreUnavailable):
                async with watched.stream(cursor=self.cursor) as stream:
                    while True:
                        told = await stream.next(patience=None)
                        self.cursor = told.cursor.text()
                        if told.event is not None:
                            self.seen.append((told.event.session_id, told.event.version))


async def test_everything_committed_is_told_once_and_in_order(url: str) -> None:
    """Transactions stay open at random and connections die: each watcher still hears of each change."""
    logs = [Log(), Log()]
    async with following(url) as (replicas, watched), lingering(url) as beside:
        pairs = zip(logs, watched, strict=True)
        tasks = [asyncio.create_task(log.follow(one)) for log, one in pairs]
        while not all(log.cursor for log in logs):
            await asyncio.sleep(0.01)
        services = [replicas.services[number % 4] for number in range(WRITERS)]
        writing = asyncio.gather(*(write(service) for service in services))
        await kill(beside, writing)
        await writing
        stored = await committed(beside)
        async with asyncio.timeout(3 * PATIENCE):
            while any(log.seen != stored for log in logs):
                await asyncio.sleep(0.05)
                stored = await committed(beside)
        for task in tasks:
            task.cancel()
    assert len(stored) > LIVES
    for session_id in {name for name, _ in stored}:
        versions = [version for name, version in stored if name == session_id]
        assert versions == sorted(set(versions))


async def committed(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    """Return every change, those last that have no number yet."""
    return [(row["session_id"], row["version"]) for row in await connection.fetch(STORED)]
