"""A process killed at the points of a provider that takes a key and closes pages: nothing twice, nothing left open."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.requests import Fields, fresh_id
from tests.e2e.wire.sellers import SELLERS
from tests.torture import emulated
from tests.torture.calls import Refused, Session, create, expire, listed, read
from tests.torture.deaths import (
    DEAD,
    LEASE_OVER,
    TIME_OVER,
    dead,
    die,
    in_state,
    on_both_stores,
    settled,
)
from tests.torture.emulated import EmulatedSeller, emulated_seller
from tests.torture.lives import Life, Lives
from tests.torture.nursery import Nursery

pytestmark = pytest.mark.slow

FIELDS = SELLERS["square_links"].fields("default")
CREATING, OPEN, EXPIRED = Session.STATE_CREATING, Session.STATE_OPEN, Session.STATE_EXPIRED
CLOSED, PAYABLE = Session.PROVIDER_LINK_CLOSED, Session.PROVIDER_LINK_STILL_PAYABLE


@pytest.fixture
async def seller() -> AsyncIterator[EmulatedSeller]:
    """A Square that has seen nothing."""
    async with emulated_seller("square_links") as running:
        yield running


@pytest.fixture
def lives(
    nursery: Nursery, seller: EmulatedSeller, tmp_path: Path, store: Mapping[str, str]
) -> Lives:
    """A service with an account there, and an empty store."""
    return Lives(nursery, tmp_path, {**seller.settings, **store})


async def die_creating(
    lives: Lives, seller: EmulatedSeller, point: str, **changes: object
) -> Fields:
    """Create, in a process that is killed at a point, and return what was asked for."""
    special = {
        "create": emulated.hangs,
        "refusal": emulated.refuses,
        "loss": emulated.resets,
        "unsent": emulated.rejects_the_token,
    }
    seller.respond = special.get(point.partition(".")[0], emulated.answers)
    fields = {**FIELDS, "request_id": fresh_id(), **changes}

    async def ask(life: Life) -> None:
        assert await create(life, fields) == DEAD

    await die(lives, point, ask)
    seller.respond = emulated.refuses if point.startswith("refusal") else emulated.answers
    return fields


def assert_one_page(seller: EmulatedSeller, session_id: str) -> None:
    """Check that Square made one page, whatever it was asked, and was never asked for another."""
    assert seller.pages == [session_id]
    assert len(set(seller.creates)) == 1


FIRST_LIFE = {
    "intent.before": None,
    "intent.after": CREATING,
    "create.sent": CREATING,
    "result.before": CREATING,
    "result.after": OPEN,
    "loss.before": CREATING,
    "loss.after": CREATING,
    "unsent.before": CREATING,
    "unsent.after": CREATING,
}


@pytest.mark.parametrize("point", FIRST_LIFE)
async def test_one_page(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Wherever the first attempt ended, the retry gets the one session, by the one page there ever was."""
    fields = await die_creating(lives, seller, point)
    async with lives.life() as life:
        states = [session.state for session in await listed(life)]
    assert states == [state for state in [FIRST_LIFE[point]] if state is not None]
    async with lives.life(ahead=LEASE_OVER) as life:
        answer, again = await create(life, fields), await create(life, fields)
        assert isinstance(answer, pb.CreateSessionResponse)
        assert isinstance(again, pb.CreateSessionResponse)
        assert (answer.session.state, again.session) == (OPEN, answer.session)
        assert [session.session_id for session in await listed(life)] == [again.session.session_id]
    assert_one_page(seller, answer.session.session_id)


@pytest.mark.parametrize("point", ["intent.after", "create.sent", "result.before"])
async def test_nobody_has_to_ask(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """What may be repeated is repeated to learn, by the stored body, once the lease is over."""
    await die_creating(lives, seller, point)
    made = len(seller.pages)
    async with lives.life() as life:
        (left,) = await listed(life)
        assert left.state == CREATING
    assert len(seller.creates) == made
    async with lives.life(ahead=LEASE_OVER) as life:
        session = await in_state(life, OPEN)
    assert session.session_id == left.session_id
    assert session.checkout_url
    assert_one_page(seller, session.session_id)


@pytest.mark.parametrize("point", ["intent.after", "create.sent", "result.before"])
async def test_nobody_can_ask(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Without a request id nobody holds the page's address: the session fails, and nothing is sent for it."""
    await die_creating(lives, seller, point, request_id="")
    before = len(seller.exchanges)
    async with lives.life(ahead=LEASE_OVER) as life:
        await in_state(life, Session.STATE_FAILED)
    assert len(seller.exchanges) == before


@pytest.mark.parametrize("point", ["refusal.before", "refusal.after"])
async def test_refusal(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """A refusal is learnt again or told again; it makes nothing either way."""
    fields = await die_creating(lives, seller, point)
    async with lives.life(ahead=LEASE_OVER) as life:
        session = await in_state(life, Session.STATE_FAILED)
        refused = Refused(grpc.StatusCode.INVALID_ARGUMENT, "PROVIDER_REJECTED", session.session_id)
        assert await create(life, fields) == refused
    assert seller.pages == []


REPLAYS = {
    "replay.before": CREATING,
    "replay.after": CREATING,
    "replay.sent": CREATING,
    "replayed.before": CREATING,
    "replayed.after": OPEN,
}


@on_both_stores
@pytest.mark.parametrize("point", REPLAYS)
async def test_death_of_who_takes_over(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Whoever dies while it asks again is taken over like the first, and the page is still the only one."""
    fields = await die_creating(lives, seller, "create.sent")
    seller.respond = emulated.hangs if point == "replay.sent" else emulated.answers
    # The sweep takes over by itself: nobody calls.
    await dead(await lives.begin(point, ahead=LEASE_OVER))
    seller.respond = emulated.answers
    if point != "replay.before":
        # The lease of who died is not over.
        async with lives.life(ahead=LEASE_OVER) as life:
            (left,) = await listed(life)
            assert left.state == REPLAYS[point]
    asked = len(seller.creates)
    assert asked == (1 if point in {"replay.before", "replay.after"} else 2)
    async with lives.life(ahead=2 * LEASE_OVER) as life:
        session = await in_state(life, OPEN)
        answer = await create(life, fields)
        assert isinstance(answer, pb.CreateSessionResponse)
        assert (answer.session, answer.replayed) == (session, True)
    assert len(seller.creates) == asked + (point != "replayed.after")
    assert_one_page(seller, session.session_id)


async def opened(lives: Lives, **changes: object) -> str:
    """Create a session in a life of its own and return its id."""
    async with lives.life() as life:
        answer = await create(life, {**FIELDS, **changes})
        assert isinstance(answer, pb.CreateSessionResponse)
        assert answer.session.provider_link == Session.PROVIDER_LINK_LIVE
        return answer.session.session_id


CLOSINGS = (
    "claim.before",
    "claim.after",
    "cancel.sent",
    "retrieve_order.sent",
    "closed.before",
    "closed.after",
)
SILENT = {"cancel.sent": emulated.hangs, "retrieve_order.sent": emulated.hangs_at_reads}


@on_both_stores
@pytest.mark.parametrize("point", ["expire.after", *CLOSINGS])
async def test_end_on_request(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """An end that was stored is carried to the provider by whoever lives, until it is verified there."""
    session_id = await opened(lives)
    seller.respond = SILENT.get(point, emulated.answers)

    async def end(life: Life) -> None:
        assert await expire(life, session_id) == DEAD

    await die(lives, point, end)
    await assert_closed(lives, seller, session_id, point)


@pytest.mark.parametrize("point", ["sweep.after", *CLOSINGS])
async def test_end_by_time(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """A page that would outlive its session is closed, whoever dies over it."""
    session_id = await opened(lives, ttl="60s")
    seller.respond = SILENT.get(point, emulated.answers)
    await dead(await lives.begin(point, ahead=TIME_OVER))
    await assert_closed(lives, seller, session_id, point, ahead=TIME_OVER)


async def assert_closed(
    lives: Lives, seller: EmulatedSeller, session_id: str, point: str, *, ahead: float = 0
) -> None:
    """Check what a death has left, and that the next life deletes the link, reads its order and says so."""
    seller.respond = emulated.answers
    is_known, is_claimed = point == "closed.after", point in CLOSINGS[1:]
    deleted = len(seller.deletions)
    assert deleted == int(point in CLOSINGS[2:])
    async with lives.life(ahead=ahead) as life:
        left = await read(life, session_id)
        assert left.state == EXPIRED
        # Somebody has claimed it who might be alive.
        assert not is_claimed or left.provider_link == (CLOSED if is_known else PAYABLE)
    assert not is_claimed or len(seller.deletions) == deleted
    async with lives.life(ahead=ahead + LEASE_OVER) as life:
        session = await settled(life, lambda found: found.provider_link == CLOSED)
        assert await expire(life, session_id) == session
    assert (session.state, session.end_time) == (EXPIRED, left.end_time)
    assert seller.state(session_id) == "expired"
    assert not is_claimed or len(seller.deletions) == deleted + (not is_known)
    assert_cancelled(seller)


def assert_cancelled(seller: EmulatedSeller) -> None:
    """Check that one deletion cancelled the order, that others found nothing, and that the order was read last."""
    (done,) = [deletion for deletion in seller.deletions if deletion.status == 200]
    assert {d.status for d in seller.deletions if d is not done} <= {404}
    last = seller.exchanges[-1]
    assert last.method == "GET"
    order = last.answer["order"]
    assert (order["id"], order["state"]) == (done.answer["cancelled_order_id"], "CANCELED")


async def test_death_before_the_end(lives: Lives, seller: EmulatedSeller) -> None:
    """An end that was not stored is nobody's: the page stays open, and nothing was asked of the provider."""
    session_id = await opened(lives)

    async def end(life: Life) -> None:
        assert await expire(life, session_id) == DEAD

    await die(lives, "expire.before", end)
    async with lives.life(ahead=LEASE_OVER) as life:
        assert (await read(life, session_id)).provider_link == Session.PROVIDER_LINK_LIVE
    assert seller.deletions == []
