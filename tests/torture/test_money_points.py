"""A process killed while it learns of money: what nobody waits for, what somebody asks about, what is looked for."""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.sellers import SELLERS
from tests.e2e.wire.webhooks import payment_event, signed
from tests.torture.calls import TIMEOUT, Session, create, deliver, read
from tests.torture.deaths import LEASE_OVER, dead, die, in_state, on_both_stores
from tests.torture.emulated import emulated_seller
from tests.torture.lives import Life, Lives
from tests.torture.nursery import Nursery

pytestmark = pytest.mark.slow

FIELDS = SELLERS["square_links"].fields("default")
NEVER, OFTEN = {"CHECKOUT_RECONCILE_INTERVAL": "1h"}, {"CHECKOUT_RECONCILE_INTERVAL": "100ms"}


@on_both_stores
@pytest.mark.parametrize("point", ["unmatched.before", "unmatched.after"])
async def test_payment_of_nobody(lives: Lives, point: str) -> None:
    """A payment that no session is known for is kept once, however often it is told."""
    delivery = signed(payment_event("cs_00000000000000000000000000"))

    async def send(life: Life) -> None:
        assert await deliver(life, delivery) is None

    await die(lives, point, send)
    async with lives.life() as life:
        outcome = "duplicate" if point == "unmatched.after" else "unmatched"
        assert await deliver(life, delivery) == (200, [outcome])
        request = pb.ListUnmatchedPaymentsRequest()
        page = await life.stub.ListUnmatchedPayments(request, timeout=TIMEOUT)
        assert len(page.unmatched_payments) == 1


async def opened(lives: Lives) -> str:
    """Create a session in a life of its own and return its id."""
    async with lives.life() as life:
        answer = await create(life, FIELDS)
        assert isinstance(answer, pb.CreateSessionResponse)
        # In order, so that nobody has to wait for its lease of the account.
        assert await life.end(signal.SIGTERM) == 0
        return answer.session.session_id


def assert_paid_once(session: Session) -> None:
    """Check that one payment completed a session."""
    assert (session.state, len(session.payments)) == (Session.STATE_COMPLETED, 1)


@on_both_stores
@pytest.mark.parametrize("point", ["read.before", "read.after"])
async def test_death_of_who_asks(
    nursery: Nursery, tmp_path: Path, store: Mapping[str, str], point: str
) -> None:
    """What the provider told is asked for again, unless it was stored: the payment counts once either way."""
    async with emulated_seller("square_links") as seller:
        lives = Lives(nursery, tmp_path, {**seller.settings, **store, **NEVER})
        session_id = await opened(lives)
        seller.pay(session_id)
        asking = pb.GetSessionRequest(session_id=session_id, refresh=True)

        async def ask(life: Life) -> None:
            with pytest.raises(Exception, match="UNAVAILABLE"):
                await life.stub.GetSession(asking, timeout=TIMEOUT)

        await die(lives, point, ask)
        async with lives.life(ahead=LEASE_OVER) as life:
            is_stored = point == "read.after"
            left = await read(life, session_id)
            assert left.state == (Session.STATE_COMPLETED if is_stored else Session.STATE_OPEN)
            answer = await life.stub.GetSession(asking, timeout=TIMEOUT)
            assert_paid_once(answer.session)


@on_both_stores
@pytest.mark.parametrize("point", ["mark.before", "mark.after"])
async def test_death_of_who_looks(
    nursery: Nursery, tmp_path: Path, store: Mapping[str, str], point: str
) -> None:
    """Whoever dies while it looks for missed payments is followed by one that finds them, each once."""
    async with emulated_seller("square_links") as seller:
        session_id = await opened(Lives(nursery, tmp_path, {**seller.settings, **store, **NEVER}))
        seller.pay(session_id)
        lives = Lives(nursery, tmp_path, {**seller.settings, **store, **OFTEN})
        await dead(await lives.begin(point))
        async with lives.life() as life:
            assert_paid_once(await in_state(life, Session.STATE_COMPLETED))
