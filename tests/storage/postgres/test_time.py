"""Replicas whose machines' clocks are hours apart judge leases, expiry and payments alike."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from service.core import errors
from service.core.gate import Outcome, passage
from service.core.model import State, UnknownOutcomeStrategy
from service.core.webhooks import Receipt
from tests.core.builders import request
from tests.core.conftest import Service
from tests.core.scripted import ScriptedProvider
from tests.storage.postgres.replicas import MINUTE, SURELY, Replicas, replicas_on

TTL = 15 * MINUTE
LEASE = 5 * MINUTE
"""Long for a slow machine, and shorter than any shift of a clock."""


@pytest.fixture
def provider() -> ScriptedProvider:
    """Provide what all replicas call."""
    return ScriptedProvider()


async def opened(service: Service, **asked: object) -> str:
    """Create a session and return its id."""
    made = await service.create(request(ttl=TTL, **asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def states(replicas: Replicas, session_id: str) -> set[tuple[State, Outcome]]:
    """Return how a session reads at each replica, and whom its gate lets through."""
    found = set()
    for one in replicas.services:
        session = (await one.get(session_id)).session
        found.add((session.state, passage(session, one.clock.now()).outcome))
    return found


async def pay(service: Service, session_id: str, number: int) -> None:
    """Tell a replica of a payment whose time the provider does not say: when it is heard of counts."""
    told = {"id": f"e{number}", "session": session_id, "status": "PAID", "timeless": True}
    body = msgspec.json.encode({**told, "payment": f"p{number}"})
    receipts = await service.webhook("scripted", "default", {"signature": "good"}, body)
    assert receipts == [Receipt.APPLIED]


async def test_no_lease_is_stolen_early(
    url: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running attempt is left alone by replicas whose clocks are ahead, and taken over once it is abandoned."""
    monkeypatch.setattr("service.core.create.LEASE", LEASE)
    provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    provider.script.append(asyncio.Event())
    async with replicas_on(url, provider) as replicas:
        first, *others = replicas.services
        creating = asyncio.create_task(opened(first, request_id="r1"))
        while not provider.calls:
            await asyncio.sleep(0.01)
        await replicas.sweep(*others)
        for other in others:
            with pytest.raises(errors.RequestInFlight):
                await other.create(
                    request(ttl=TTL, request_id="r1"),
                    caller="anonymous",
                    deadline=timedelta(milliseconds=150),
                )
        assert (len(provider.calls), replicas.events()) == (1, ["session.created"])
        for task in first.background._tasks | {creating}:
            task.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        replicas.future.ahead = LEASE + SURELY
        await replicas.sweep()
        assert replicas.events().count("attempt.recovered") == 1
        assert len(provider.calls) == 2
        assert await states(replicas, provider.calls[0].session_id) == {(State.OPEN, Outcome.OPEN)}


async def test_no_session_expires_early_and_none_late(url: str, provider: ScriptedProvider) -> None:
    """However its clock is off, each replica lets customers through until the end and not after it."""
    async with replicas_on(url, provider) as replicas:
        session_ids = [await opened(one) for one in replicas.services]
        replicas.future.ahead = TTL / 2
        await replicas.sweep()
        for session_id in session_ids:
            assert await states(replicas, session_id) == {(State.OPEN, Outcome.OPEN)}
        replicas.future.ahead = TTL + SURELY
        for session_id in session_ids:
            assert await states(replicas, session_id) == {(State.EXPIRED, Outcome.ENDED)}
        assert "session.expired" not in replicas.events()
        await replicas.sweep()
        assert replicas.events().count("session.expired") == len(session_ids)


@pytest.mark.parametrize(
    ("later", "state", "is_late"),
    [(TTL / 2, State.COMPLETED, False), (TTL + 7 * MINUTE, State.EXPIRED, True)],
    ids=["in time", "late"],
)
async def test_a_payment_is_judged_alike(
    url: str, provider: ScriptedProvider, later: timedelta, state: State, is_late: bool
) -> None:
    """Whichever replica hears of a payment, it is in time or late by the same time."""
    async with replicas_on(url, provider) as replicas:
        for number, one in enumerate(replicas.services):
            replicas.future.ahead = timedelta(0)
            session_id = await opened(one)
            replicas.future.ahead = later
            await pay(one, session_id, number)
            session = (await one.get(session_id)).session
            assert (session.state, [paid.late for paid in session.payments]) == (state, [is_late])


async def test_an_end_is_one_moment(url: str, provider: ScriptedProvider) -> None:
    """A session that one replica has ended is ended for all, and a later payment is late at each."""
    async with replicas_on(url, provider) as replicas:
        for number, one in enumerate(replicas.services):
            other = replicas.services[number - 1]
            session_id = await opened(one)
            ended = (await one.expire(session_id)).session
            assert ended.end_time is not None
            assert abs(ended.end_time - other.clock.now()) < MINUTE
            replicas.future.ahead += SURELY
            await pay(other, session_id, number)
            session = (await one.get(session_id)).session
            assert (session.state, session.payments[0].late) == (State.EXPIRED, True)
