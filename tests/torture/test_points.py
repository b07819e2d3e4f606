"""A process killed at each point between two steps, and what its successor makes of what it left."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import start
from tests.e2e.wire.provider import SERVE_ACCOUNTS, account, running_provider
from tests.e2e.wire.requests import Fields, create_request, fresh_id
from tests.e2e.wire.webhooks import Delivery, payment_event, signed
from tests.torture.calls import (
    TIMEOUT,
    Refused,
    Session,
    create,
    deliver,
    expire,
    listed,
    read,
)
from tests.torture.deaths import (
    DEAD,
    KILLED,
    LEASE_OVER,
    TIME_OVER,
    dead,
    die,
    in_state,
    on_both_stores,
)
from tests.torture.lives import Life, Lives
from tests.torture.nursery import VICTIM
from tests.torture.seller import CountingProvider

pytestmark = pytest.mark.slow

UNRESOLVED = "PROVIDER_OUTCOME_UNRESOLVED"
MAY_CHARGE: Fields = {
    "customer": {
        "customer_id": "cus_1",
        "billing_address": {"country": "US", "postal_code": "94105"},
    },
    "provider_options": {
        "dodo": {"confirm": True, "minimal_address": True, "payment_method_id": "pm_1"}
    },
}

SECOND_LIFE = ("takeover.before", "takeover.after", "again.before", "again.after")


def prepare(provider: CountingProvider, point: str) -> str:
    """Let the provider do what leads to a point, and return the point to die at first."""
    special = {
        "create": provider.opens_and_hangs,
        "refusal": provider.refuses,
        "loss": provider.resets,
        "unsent": provider.rejects_the_key,
        **{step.partition(".")[0]: provider.opens_and_hangs for step in SECOND_LIFE},
    }
    provider.respond = special.get(point.partition(".")[0], provider.opens)
    return "create.sent" if point in SECOND_LIFE else point


async def die_creating(
    lives: Lives, provider: CountingProvider, point: str, fields: Fields
) -> None:
    """Create, in a process that is killed at a point; where a second one takes over, in that."""
    async with lives.life(prepare(provider, point)) as life:
        assert await create(life, fields) == DEAD
        assert await life.death() == KILLED
    provider.respond = provider.refuses if point.startswith("refusal") else provider.opens
    if point in SECOND_LIFE:
        # The sweep takes over too: before anybody can call, or so that a call is told of it.
        second = await lives.begin(point, ahead=LEASE_OVER)
        if second and "request_id" in fields:
            assert isinstance(await create(second, fields), Refused)
        await dead(second)


AFTER_THE_RETRY = {
    "intent.before": (None, 1, 1),
    "intent.after": (Session.STATE_CREATING, 1, 1),
    "create.sent": (Session.STATE_CREATING, 2, 2),
    "result.before": (Session.STATE_CREATING, 2, 2),
    "result.after": (Session.STATE_OPEN, 1, 1),
    "loss.before": (Session.STATE_CREATING, 2, 1),
    "loss.after": (Session.STATE_CREATING, 2, 1),
    "unsent.before": (Session.STATE_CREATING, 2, 1),
    "unsent.after": (Session.STATE_CREATING, 2, 1),
    "takeover.before": (Session.STATE_CREATING, 2, 2),
    "takeover.after": (Session.STATE_CREATING, 2, 2),
    "again.before": (Session.STATE_CREATING, 2, 2),
    "again.after": (Session.STATE_CREATING, 2, 2),
}


@on_both_stores
@pytest.mark.parametrize("point", AFTER_THE_RETRY)
async def test_with_request_id(lives: Lives, provider: CountingProvider, point: str) -> None:
    """The retry gets the one session there is, and the provider was asked no more often than attempts were lost."""
    state, asked, made = AFTER_THE_RETRY[point]
    fields = {"request_id": fresh_id()}
    await die_creating(lives, provider, point, fields)
    # An attempt that a second process began has a lease that began later.
    ahead = LEASE_OVER * (2 if point in SECOND_LIFE else 1)
    async with lives.life(ahead=ahead) as life:
        left = await listed(life)
        assert [session.state for session in left] == ([] if state is None else [state])
        answer, again = await create(life, fields), await create(life, fields)
        assert isinstance(answer, pb.CreateSessionResponse)
        assert isinstance(again, pb.CreateSessionResponse)
        assert (answer.session.state, answer.replayed) == (
            Session.STATE_OPEN,
            state == Session.STATE_OPEN,
        )
        assert (again.session, again.replayed) == (answer.session, True)
        session_id = answer.session.session_id
        assert {session.session_id for session in left} <= {session_id}
        assert [session.session_id for session in await listed(life)] == [session_id]
        assert await life.end(signal.SIGTERM) == 0
    assert (sum(provider.asked.values()), len(provider.made.pop(session_id))) == (asked, made)
    # Before the intent is stored nobody knows the id, so nothing can have been made under another.
    assert not provider.made


@on_both_stores
@pytest.mark.parametrize("point", ["refusal.before", "refusal.after"])
async def test_refusals(lives: Lives, provider: CountingProvider, point: str) -> None:
    """A refusal that was stored is told again without asking; one that was not is asked for again."""
    fields = {"request_id": fresh_id()}
    await die_creating(lives, provider, point, fields)
    is_stored = point == "refusal.after"
    async with lives.life(ahead=LEASE_OVER) as life:
        (left,) = await listed(life)
        assert left.state == (Session.STATE_FAILED if is_stored else Session.STATE_CREATING)
        expected = Refused(grpc.StatusCode.INVALID_ARGUMENT, "PROVIDER_REJECTED", left.session_id)
        assert [await create(life, fields) for _ in range(2)] == [expected] * 2
        assert (await read(life, left.session_id)).state == Session.STATE_FAILED
    assert provider.asked == {left.session_id: 1 if is_stored else 2}
    assert not provider.made


WITHOUT_REQUEST_ID = [
    "intent.after",
    "create.sent",
    "result.before",
    "loss.before",
    "loss.after",
    "unsent.before",
    "unsent.after",
    "takeover.before",
    "takeover.after",
]


@pytest.mark.parametrize("point", WITHOUT_REQUEST_ID)
async def test_without_request_id(lives: Lives, provider: CountingProvider, point: str) -> None:
    """Nobody can come back, so the session fails as soon as the lease is over, and nothing is made for it."""
    await die_creating(lives, provider, point, {})
    made = sum(map(len, provider.made.values()))
    async with lives.life(ahead=LEASE_OVER) as life:
        session = await in_state(life, Session.STATE_FAILED)
    assert provider.asked[session.session_id] == (0 if point == "intent.after" else 1)
    assert sum(map(len, provider.made.values())) == made


@pytest.mark.parametrize("request_id", ["with", ""])
@pytest.mark.parametrize(
    "point", ["intent.after", "create.sent", "result.before", "takeover.after"]
)
async def test_what_may_charge(
    lives: Lives, provider: CountingProvider, point: str, request_id: str
) -> None:
    """A call that may have charged somebody is never made again, whoever asks."""
    fields = MAY_CHARGE | ({"request_id": request_id} if request_id else {})
    await die_creating(lives, provider, point, fields)
    async with lives.life(ahead=LEASE_OVER) as life:
        session = await in_state(life, Session.STATE_UNRESOLVED)
        if request_id:
            refused = Refused(grpc.StatusCode.FAILED_PRECONDITION, UNRESOLVED, session.session_id)
            assert await create(life, fields) == refused
    assert sum(provider.asked.values()) == (0 if point == "intent.after" else 1)


async def test_nobody_comes_back(lives: Lives, provider: CountingProvider) -> None:
    """A session that only a retry could open waits for it until its time is over."""
    fields = {"request_id": fresh_id(), "ttl": "60s"}
    await die_creating(lives, provider, "create.sent", fields)
    async with lives.life(ahead=LEASE_OVER) as life:
        assert (await in_state(life, Session.STATE_CREATING)).session_id in provider.made
    async with lives.life(ahead=TIME_OVER) as life:
        await in_state(life, Session.STATE_FAILED)
    assert sum(provider.asked.values()) == 1


async def test_a_retry_before_the_lease_is_over(lives: Lives, provider: CountingProvider) -> None:
    """As long as the dead attempt might be alive it is waited for, and then taken over."""
    fields = {"request_id": fresh_id()}
    await die_creating(lives, provider, "create.sent", fields)
    async with lives.life() as life:
        in_flight = await create(life, fields, 0.5)
        assert isinstance(in_flight, Refused)
        assert in_flight.reason in {"REQUEST_IN_FLIGHT", ""}
        assert sum(provider.asked.values()) == 1
        answer = await create(life, fields)
        assert isinstance(answer, pb.CreateSessionResponse)
        assert answer.session.state == Session.STATE_OPEN


async def opened(lives: Lives, fields: Fields) -> str:
    """Create a session in a life of its own and return its id."""
    async with lives.life() as life:
        answer = await create(life, fields)
        assert isinstance(answer, pb.CreateSessionResponse)
        return answer.session.session_id


def delivering(delivery: Delivery) -> Callable[[Life], Awaitable[None]]:
    """Return a call that sends a webhook and gets no answer."""

    async def send(life: Life) -> None:
        assert await deliver(life, delivery) is None

    return send


@on_both_stores
@pytest.mark.parametrize(
    ("point", "state", "outcome"),
    [
        ("webhook.before", Session.STATE_OPEN, "applied"),
        ("webhook.after", Session.STATE_COMPLETED, "duplicate"),
    ],
)
async def test_webhooks(lives: Lives, point: str, state: int, outcome: str) -> None:
    """A webhook that nobody acknowledged is applied when it comes again, and one that was applied is so once."""
    session_id = await opened(lives, {})
    delivery = signed(payment_event(session_id))
    await die(lives, point, delivering(delivery))
    async with lives.life() as life:
        assert (await read(life, session_id)).state == state
        assert await deliver(life, delivery) == (200, [outcome])
        session = await read(life, session_id)
    assert (session.state, len(session.payments)) == (Session.STATE_COMPLETED, 1)


async def test_paid_before_it_was_known(lives: Lives, provider: CountingProvider) -> None:
    """A payment of the page whose address was lost completes the session, and the retry is told so."""
    fields = {"request_id": fresh_id()}
    await die_creating(lives, provider, "result.before", fields)
    async with lives.life() as life:
        (left,) = await listed(life)
        assert await deliver(life, signed(payment_event(left.session_id))) == (200, ["applied"])
        answer = await create(life, fields)
    assert isinstance(answer, pb.CreateSessionResponse)
    assert (answer.session.session_id, answer.session.state) == (
        left.session_id,
        Session.STATE_COMPLETED,
    )
    assert sum(provider.asked.values()) == 1


@on_both_stores
@pytest.mark.parametrize("point", ["expire.before", "expire.after"])
async def test_expire(lives: Lives, point: str) -> None:
    """An end that was stored holds from its first moment; one that was not leaves the session open."""
    session_id = await opened(lives, {})

    async def end(life: Life) -> None:
        assert await expire(life, session_id) == DEAD

    await die(lives, point, end)
    async with lives.life() as life:
        left = await read(life, session_id)
        is_stored = point == "expire.after"
        assert left.state == (Session.STATE_EXPIRED if is_stored else Session.STATE_OPEN)
        ended = await expire(life, session_id)
    assert isinstance(ended, Session)
    assert ended.state == Session.STATE_EXPIRED
    assert not is_stored or ended == left


@on_both_stores
@pytest.mark.parametrize("point", ["sweep.before", "sweep.after"])
async def test_sweep(lives: Lives, point: str) -> None:
    """A session whose time is over reads so whether or not it was recorded, and is recorded once."""
    session_id = await opened(lives, {"ttl": "60s"})
    await dead(await lives.begin(point, ahead=TIME_OVER))
    # On PostgreSQL who died had claimed it as well.
    async with lives.life(ahead=TIME_OVER + LEASE_OVER) as life:
        assert (await read(life, session_id)).state == Session.STATE_EXPIRED
        async with asyncio.timeout(TIMEOUT):
            while (session := await read(life, session_id)).version < 3:
                await asyncio.sleep(0.02)
    assert (session.state, session.version) == (Session.STATE_EXPIRED, 3)
    assert session.end_time == session.expire_time


def test_victim_is_a_process(tmp_path: Path) -> None:
    """Started by its own command it dies at the second session, which `checkout serve` then gives up."""
    program: tuple[str, ...] = (*VICTIM, "--kill-at", "intent.after:2")
    with running_provider() as provider:
        settings = {**account(provider.url), "CHECKOUT_EXPIRY_SWEEP_INTERVAL": "100ms"}
        with start(tmp_path, settings, program) as victim, victim.channel() as channel:
            stub = CheckoutServiceStub(channel)
            stub.CreateSession(create_request(), timeout=TIMEOUT)
            with pytest.raises(grpc.RpcError):
                stub.CreateSession(create_request(), timeout=TIMEOUT)
            assert victim.wait() == KILLED
        with start(tmp_path, settings, SERVE_ACCOUNTS) as service:
            given_up = service.wait_for_log("session.failed")
            with service.channel() as channel:
                request = pb.ListSessionsRequest()
                page = CheckoutServiceStub(channel).ListSessions(request, timeout=TIMEOUT)
        assert len(provider.bodies) == 1
    assert [(session.session_id, session.state) for session in page.sessions] == [
        (given_up["session_id"], Session.STATE_FAILED),
        (page.sessions[1].session_id, Session.STATE_OPEN),
    ]
