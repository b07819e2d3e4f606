"""A replica killed between sending a statement and reading its answer: the statement outlives it, or does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.requests import Fields
from tests.e2e.wire.webhooks import payment_event, signed
from tests.torture.calls import TIMEOUT, Session, create, deliver, expire, listed
from tests.torture.deaths import DEAD, KILLED
from tests.torture.lives import Life, Lives
from tests.torture.nursery import Nursery
from tests.torture.seller import Asked, CountingProvider
from tests.torture.stores import connected, stored_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_LOOK_AGAIN = 0.02
_WAITING = """
    SELECT array_agg(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_THERE = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ($1::int[])"
_KEY = "INSERT INTO request_keys SELECT caller, 'intent', session_id FROM request_keys LIMIT 1"
_ROW = "SELECT FROM sessions WHERE session_id = $1 FOR UPDATE"


class Database:
    """What others see and do in a database: who waits there, and what they wait for."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def waiting(self, number: int) -> list[int]:
        """Return the processes of the statements that wait for somebody, once there are so many."""
        async with connected(self._url) as connection, asyncio.timeout(TIMEOUT):
            while len(found := await connection.fetchval(_WAITING) or []) < number:
                await asyncio.sleep(_LOOK_AGAIN)
            return list(found)

    async def gone(self, pids: list[int]) -> None:
        """Return once none of the processes is there."""
        async with connected(self._url) as connection, asyncio.timeout(TIMEOUT):
            while await connection.fetchval(_THERE, pids):
                await asyncio.sleep(_LOOK_AGAIN)

    async def undo(self, pids: list[int]) -> None:
        """End processes in the middle of their statements."""
        async with connected(self._url) as connection:
            for pid in pids:
                await connection.execute("SELECT pg_terminate_backend($1)", pid)
        await self.gone(pids)


class Hesitant:
    """Makes a page, and says so only when it is told to."""

    def __init__(self, provider: CountingProvider) -> None:
        self.session_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.goes_on = asyncio.Event()
        self._provider = provider

    async def respond(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Answer late."""
        self.session_id.set_result(asked.session_id)
        await self.goes_on.wait()
        return await self._provider.opens(request, asked)


async def opened(life: Life, name: str) -> str:
    """Create a session and return its id."""
    answer = await create(life, asked(name))
    assert isinstance(answer, pb.CreateSessionResponse)
    return answer.session.session_id


def asked(name: str) -> Fields:
    """Return what is asked for under a name, however often it is asked."""
    return {"request_id": name, "reference_id": name}


LANDED = {
    "intent": Session.STATE_CREATING,
    "result": Session.STATE_OPEN,
    "paid": Session.STATE_COMPLETED,
    "ended": Session.STATE_EXPIRED,
}
UNDONE = {
    "result": Session.STATE_CREATING,
    "paid": Session.STATE_OPEN,
    "ended": Session.STATE_OPEN,
}


@pytest.mark.parametrize("fate", ["landed", "undone", "overtaken"])
async def test_death_during_a_statement(
    nursery: Nursery, provider: CountingProvider, database: str, tmp_path: Path, fate: str
) -> None:
    """A statement whose sender is dead counts or does not, before others ask or while they do: all is there once."""
    settings = {**provider.settings, **stored_at(database), "CHECKOUT_STORE_TIMEOUT": "30s"}
    mortal, other = (Lives(nursery, tmp_path / name, settings) for name in ("mortal", "other"))
    seen = Database(database)
    async with other.life() as life, connected(database) as holder:
        paid, ended = await opened(life, "paid"), await opened(life, "ended")
        delivery = signed(payment_event(paid))

        async def ask(asked_one: Life) -> list[object]:
            calls: list[Awaitable[object]] = [
                create(asked_one, asked("intent")),
                create(asked_one, asked("result")),
                deliver(asked_one, delivery),
                expire(asked_one, ended),
            ]
            return await asyncio.gather(*calls)

        holding = holder.transaction()
        await holding.start()
        await holder.execute(_KEY)
        for session_id in (paid, ended):
            await holder.execute(_ROW, session_id)
        hesitant = Hesitant(provider)
        provider.respond = hesitant.respond
        async with mortal.life() as dying:
            lost = asyncio.create_task(ask(dying))
            await holder.execute(_ROW, await hesitant.session_id)
            hesitant.goes_on.set()
            pids = await seen.waiting(4)
            assert await dying.end() == KILLED
            assert await lost == [DEAD, DEAD, None, DEAD]
        provider.respond = provider.opens
        retried = asyncio.create_task(ask(life)) if fate == "overtaken" else None
        if retried:
            # All that wait for a row or a key: the other replica's behind the dead one's.
            await seen.waiting(7)
        elif fate == "undone":
            await seen.undo(pids)
        await holding.rollback()
        await seen.gone(pids)
        if not retried:
            left = {one.reference_id: one.state for one in await listed(life)}
            assert left == (UNDONE if fate == "undone" else LANDED)
        answers = await (retried or ask(life))
        sessions = {one.reference_id: one for one in await listed(life)}
    assert_there_once(sessions, answers)
    pages = [len(provider.made[sessions[name].session_id]) for name in LANDED]
    assert pages == [1, 2 if fate == "undone" else 1, 1, 1]


def assert_there_once(sessions: Mapping[str, Session], answers: list[object]) -> None:
    """Check what the retries were told, and what there is."""
    *created, delivered, expired = answers
    for name, answer in zip(("intent", "result"), created, strict=True):
        assert isinstance(answer, pb.CreateSessionResponse), answer
        assert (answer.session, answer.session.state) == (sessions[name], Session.STATE_OPEN)
    assert delivered in ((200, ["applied"]), (200, ["duplicate"]))
    assert expired == sessions["ended"]
    assert sessions.keys() == LANDED.keys()
    assert sessions["ended"].state == Session.STATE_EXPIRED
    assert sessions["paid"].state == Session.STATE_COMPLETED
    assert len(sessions["paid"].payments) == 1
