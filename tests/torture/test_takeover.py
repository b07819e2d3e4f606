"""A replica killed at a point, and another one, which was there all the time, that is asked instead."""

import asyncio
from pathlib import Path

import pytest

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.webhooks import Delivery, payment_event, signed
from tests.torture.calls import Refused, Session, create, deliver, expire, listed, read
from tests.torture.deaths import DEAD, die
from tests.torture.lives import Life, Lives
from tests.torture.nursery import Nursery
from tests.torture.seller import CountingProvider
from tests.torture.stores import stored_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# What is left at each point, and how many pages there are in the end.
CREATING = {
    "intent.before": ([], 1),
    "intent.after": ([Session.STATE_CREATING], 1),
    "create.sent": ([Session.STATE_CREATING], 2),
    "result.before": ([Session.STATE_CREATING], 2),
    "result.after": ([Session.STATE_OPEN], 1),
    "loss.after": ([Session.STATE_CREATING], 1),
    "unsent.after": ([Session.STATE_CREATING], 1),
}


@pytest.fixture
def mortal(nursery: Nursery, provider: CountingProvider, database: str, tmp_path: Path) -> Lives:
    """The replica that is killed."""
    settings = {**provider.settings, **stored_at(database)}
    return Lives(nursery, tmp_path / "mortal", settings)


@pytest.fixture
def other(nursery: Nursery, provider: CountingProvider, database: str, tmp_path: Path) -> Lives:
    """The other one."""
    settings = {**provider.settings_of(1), **stored_at(database)}
    return Lives(nursery, tmp_path / "other", settings)


async def test_creating(mortal: Lives, other: Lives, provider: CountingProvider) -> None:
    """Whoever retries at another replica gets the one session there is, as soon as the dead one's lease is over."""
    special = {
        "create.sent": provider.opens_and_hangs,
        "loss.after": provider.resets,
        "unsent.after": provider.rejects_the_key,
    }
    async with other.life() as life:
        for point, (states, _) in CREATING.items():
            provider.respond = special.get(point, provider.opens)

            async def ask(dying: Life, point: str = point) -> None:
                assert await create(dying, asked(point)) == DEAD

            await die(mortal, point, ask)
            left = [one.state for one in await listed(life) if one.reference_id == point]
            assert left == states, point
        provider.respond = provider.opens
        answers = await asyncio.gather(*(create(life, asked(point)) for point in CREATING))
        sessions = await listed(life)
    assert sorted(session.reference_id for session in sessions) == sorted(CREATING)
    for answer in answers:
        assert isinstance(answer, pb.CreateSessionResponse), answer
        session = answer.session
        assert session in sessions
        pages = len(provider.made[session.session_id])
        assert (session.state, pages) == (Session.STATE_OPEN, CREATING[session.reference_id][1])


def asked(point: str) -> dict[str, object]:
    """Return what is asked for once for each point, however often it is asked."""
    return {"request_id": point, "reference_id": point}


async def test_webhooks_and_ends(mortal: Lives, other: Lives) -> None:
    """A webhook and an end that nobody acknowledged are taken by another replica, each once."""
    async with other.life() as life:
        for point, outcome in (("webhook.before", "applied"), ("webhook.after", "duplicate")):
            session_id = await opened(life)
            delivery = signed(payment_event(session_id))

            async def send(dying: Life, delivery: Delivery = delivery) -> None:
                assert await deliver(dying, delivery) is None

            await die(mortal, point, send)
            assert await deliver(life, delivery) == (200, [outcome])
            session = await read(life, session_id)
            assert (session.state, len(session.payments)) == (Session.STATE_COMPLETED, 1)
        for point in ("expire.before", "expire.after"):
            session_id = await opened(life)

            async def end(dying: Life, session_id: str = session_id) -> None:
                assert await expire(dying, session_id) == DEAD

            await die(mortal, point, end)
            left = await read(life, session_id)
            ended = await expire(life, session_id)
            assert isinstance(ended, Session)
            assert ended.state == Session.STATE_EXPIRED
            assert (left == ended) is (point == "expire.after")


async def opened(life: Life) -> str:
    """Create a session and return its id."""
    answer = await create(life, {})
    assert not isinstance(answer, Refused)
    return answer.session.session_id
