"""Connections are lent to one statement at a time, and come back or are replaced whatever became of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from service.storage.postgres import pool as pools
from service.storage.postgres.pool import EveryConnectionInUseError, Pool

PATIENCE = timedelta(seconds=60)
LOCKED = "SELECT pg_advisory_xact_lock(7)"
PID = "SELECT pg_backend_pid()"
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def rival(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Hold what the pool's statements wait for."""
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_advisory_lock(7)")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    """Lend one connection."""
    opened = Pool(partial(asyncpg.connect, url), size=1, patience=PATIENCE)
    yield opened
    await opened.close()


async def until_waiting(
    rival: "asyncpg.Connection[asyncpg.Record]", number: int = 1
) -> "asyncpg.Connection[asyncpg.Record]":
    """Return once so many statements wait for the rival."""
    while await rival.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") != number:
        await asyncio.sleep(0.01)
    return rival


async def test_one_connection_serves_one_statement_after_another(pool: Pool) -> None:
    """A connection that came back is lent again, to those who wait in their order."""
    ((first,),) = await pool.fetch(PID)
    rows = await asyncio.gather(*(pool.fetch(PID) for _ in range(20)))
    assert {pid for ((pid,),) in rows} == {first}


async def test_a_statement_that_is_left_is_broken_off(
    pool: Pool, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Whoever leaves has the server end the statement, and the same connection serves the next one."""
    ((first,),) = await pool.fetch(PID)
    leaving = asyncio.ensure_future(pool.fetch(LOCKED))
    await until_waiting(rival)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert [*map(tuple, await pool.fetch(PID))] == [(first,)]
    await until_waiting(rival, 0)


async def test_a_statement_that_takes_too_long_is_broken_off(
    url: str, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A statement that ran out of time is ended, and its connection serves the next one."""
    hurried = partial(asyncpg.connect, url, command_timeout=0.2)
    pool = Pool(hurried, size=1, patience=PATIENCE)
    with pytest.raises(TimeoutError):
        await pool.fetch(LOCKED)
    assert pool._mending
    await until_waiting(rival, 0)
    while pool._mending:
        await asyncio.sleep(0.01)
    assert not pool._places.locked()
    assert len(pool._idle) == 1
    await pool.close()


async def test_who_leaves_while_waiting_takes_no_place_along(
    pool: Pool, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A connection that comes back goes to those who still wait for it."""
    holding = asyncio.ensure_future(pool.fetch(LOCKED))
    await until_waiting(rival)
    waiting = [asyncio.ensure_future(pool.fetch(PID)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[2].cancel()
    await rival.execute("SELECT pg_advisory_unlock(7)")
    await holding
    assert len(await waiting[1]) == 1
    assert len(await pool.fetch(PID)) == 1


async def test_nobody_waits_longer_than_the_pools_patience(
    url: str, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Where no connection comes back in time the one who waits is told so, and nothing is lost."""
    pool = Pool(partial(asyncpg.connect, url), size=2, patience=PATIENCE)
    holding = [asyncio.ensure_future(pool.fetch(LOCKED)) for _ in range(2)]
    await until_waiting(rival, 2)
    pool._patience = 0.2
    with pytest.raises(EveryConnectionInUseError):
        await pool.fetch(PID)
    await rival.execute("SELECT pg_advisory_unlock(7)")
    await asyncio.gather(*holding)
    pool._patience = PATIENCE.total_seconds()
    assert len(await pool.fetch(PID)) == 1
    await pool.close()


async def test_a_connection_that_the_server_ended_is_replaced(
    pool: Pool, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A connection that broke under its statement, or while it was idle, makes room for another one."""
    holding = asyncio.ensure_future(pool.fetch(LOCKED))
    await until_waiting(rival)
    end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE NOT granted"
    await rival.execute(end)
    with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
        await holding
    ((second,),) = await pool.fetch(PID)
    await rival.execute(f"SELECT pg_terminate_backend({second}, 60000)")
    while not pool._idle[0].connection.is_closed():
        await asyncio.sleep(0.01)
    ((third,),) = await pool.fetch(PID)
    assert third != second


async def test_a_connection_that_cannot_be_made_holds_no_place() -> None:
    """However often connecting fails, the next one tries anew."""

    async def refused() -> "asyncpg.Connection[asyncpg.Record]":
        raise ConnectionRefusedError

    pool = Pool(refused, size=2, patience=PATIENCE)
    for _ in range(5):
        with pytest.raises(ConnectionRefusedError):
            await pool.fetch(PID)
    await pool.close()


async def test_connecting_without_an_end_is_given_up() -> None:
    """Who waits for others to connect is told that the time is over, and not that all are in use."""
    never = asyncio.Event()

    async def silent() -> "asyncpg.Connection[asyncpg.Record]":
        await never.wait()
        raise AssertionError

    pool = Pool(silent, size=1, patience=timedelta(milliseconds=50))
    answers = await asyncio.gather(*(pool.fetch(PID) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [TimeoutError] * 3


async def test_what_is_idle_for_long_is_closed(
    url: str, monkeypatch: pytest.MonkeyPatch, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A connection that nobody needed for long is closed when another one comes back."""
    pool = Pool(partial(asyncpg.connect, url), size=3, patience=PATIENCE)
    holding = [asyncio.ensure_future(pool.fetch(LOCKED)) for _ in range(3)]
    await until_waiting(rival, 3)
    await rival.execute("SELECT pg_advisory_unlock(7)")
    await asyncio.gather(*holding)
    assert len(pool._idle) == 3
    monkeypatch.setattr(pools, "_LONGEST_IDLE", 0.0)
    for left in (2, 1, 1):
        await pool.fetch(PID)
        assert len(pool._idle) == left
    while await rival.fetchval(OTHERS) != 1:
        await asyncio.sleep(0.01)
    await pool.close()


async def test_closing_waits_for_what_is_lent(
    pool: Pool, rival: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A statement that runs is finished before its connection is closed."""
    holding = asyncio.ensure_future(pool.fetch(LOCKED))
    await until_waiting(rival)
    closing = asyncio.ensure_future(pool.close())
    await asyncio.sleep(0)
    await rival.execute("SELECT pg_advisory_unlock(7)")
    assert len(await holding) == 1
    await closing
    assert not pool._idle
    for _ in range(pool._size):
        pool._places.release()
