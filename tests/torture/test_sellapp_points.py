"""A process killed at the points of a provider that is searched, and that makes a page in two calls."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.requests import Fields, fresh_id
from tests.e2e.wire.sellers import SELLERS
from tests.torture import emulated
from tests.torture.calls import Session, create, listed
from tests.torture.deaths import DEAD, LEASE_OVER, dead, die, in_state, on_both_stores, settled
from tests.torture.emulated import EmulatedSeller, emulated_seller
from tests.torture.lives import Life, Lives
from tests.torture.nursery import Nursery

pytestmark = pytest.mark.slow

FIELDS = SELLERS["sellapp"].fields("default")
CREATING, OPEN = Session.STATE_CREATING, Session.STATE_OPEN
SILENT = {
    "create.sent": emulated.hangs,
    "checkout.sent": emulated.hangs_at("/checkout"),
    "search.sent": emulated.hangs_at_reads,
}


@pytest.fixture
async def seller() -> AsyncIterator[EmulatedSeller]:
    """A SellApp that has seen nothing."""
    async with emulated_seller("sellapp") as running:
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
    seller.respond = SILENT.get(point, emulated.answers)
    fields = {**FIELDS, "request_id": fresh_id(), **changes}

    async def ask(life: Life) -> None:
        assert await create(life, fields) == DEAD

    await die(lives, point, ask)
    seller.respond = emulated.answers
    return fields


async def assert_one_invoice(life: Life, seller: EmulatedSeller, fields: Fields) -> None:
    """Check that the retry opens the one session there is, by the one invoice there ever was."""
    answer, again = await create(life, fields), await create(life, fields)
    assert isinstance(answer, pb.CreateSessionResponse)
    assert isinstance(again, pb.CreateSessionResponse)
    assert (answer.session.state, again.session, again.replayed) == (OPEN, answer.session, True)
    assert answer.session.checkout_url
    assert [session.session_id for session in await listed(life)] == [answer.session.session_id]
    assert (len(seller.creates), len(seller.pages)) == (1, 1)


FIRST_LIFE = {
    "intent.after": CREATING,
    "create.sent": CREATING,
    "step.before": CREATING,
    "step.after": CREATING,
    "checkout.sent": CREATING,
    "result.before": CREATING,
    "result.after": OPEN,
}


@on_both_stores
@pytest.mark.parametrize("point", FIRST_LIFE)
async def test_one_invoice(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Wherever the first attempt ended, the retry goes on with the invoice that there is."""
    fields = await die_creating(lives, seller, point)
    async with lives.life() as life:
        assert [session.state for session in await listed(life)] == [FIRST_LIFE[point]]
    async with lives.life(ahead=LEASE_OVER) as life:
        await assert_one_invoice(life, seller, fields)


SECOND_LIFE = ("search.before", "search.after", "search.sent", "found.before", "found.after")


@on_both_stores
@pytest.mark.parametrize("point", SECOND_LIFE)
async def test_death_of_who_searches(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Whoever dies while it looks for the invoice is taken over like the first, and finds the same one."""
    fields = await die_creating(lives, seller, "create.sent")
    seller.respond = SILENT.get(point, emulated.answers)
    # The sweep takes over by itself: nobody calls.
    await dead(await lives.begin(point, ahead=LEASE_OVER))
    seller.respond = emulated.answers
    async with lives.life(ahead=LEASE_OVER) as life:
        assert [session.state for session in await listed(life)] == [CREATING]
    assert (len(seller.creates), len(seller.pages)) == (1, 1)
    async with lives.life(ahead=2 * LEASE_OVER) as life:
        await assert_one_invoice(life, seller, fields)


@pytest.mark.parametrize("point", ["create.sent", "step.before", "step.after", "checkout.sent"])
async def test_nobody_goes_on(lives: Lives, seller: EmulatedSeller, point: str) -> None:
    """Without a request id the session fails, and the invoice that nobody will pay is found and voided."""
    await die_creating(lives, seller, point, request_id="")
    async with lives.life(ahead=LEASE_OVER) as life:
        session = await in_state(life, Session.STATE_FAILED)
        closed = await settled(life, lambda s: s.provider_link == Session.PROVIDER_LINK_CLOSED)
    assert closed.session_id == session.session_id
    assert (len(seller.creates), len(seller.pages)) == (1, 1)
    (page,) = seller.states
    assert page == "expired"
