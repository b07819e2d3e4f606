"""Money and the end of a session, at every provider: judged by when the buyer paid, by the provider's word."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import PaymentInProgress
from service.core.model import PaymentState, PaymentStatus, Session, State, TimeSource
from tests.core.builders import SECOND
from tests.providers.fastspring.shop import emulator
from tests.providers.market import Market, opened
from tests.providers.tellers import TELLERS, Told

pytestmark = pytest.mark.slow

TTL = timedelta(minutes=10)
HOUR = timedelta(hours=1)
# Whoever can close a page at the provider needs no patience with buyers who are still on it.
GRACE = {
    "clover": timedelta(minutes=5),
    "dodo": timedelta(minutes=5),
    "fastspring": timedelta(minutes=5),
    "sellapp": timedelta(0),
    "square links": timedelta(0),
    "square checkouts": timedelta(minutes=5),
}


@pytest.fixture(params=list(TELLERS))
async def market(
    request: pytest.FixtureRequest, tmp_path: Path, empty_store: bytes
) -> AsyncIterator[Market]:
    """A service at each provider."""
    async with opened(TELLERS[request.param], tmp_path, empty_store) as market:
        yield market


def seen(session: Session) -> tuple[State, PaymentStatus, list[bool]]:
    """Return where a session stands, and which of its payments were late."""
    late = [payment.late for payment in session.payments]
    return session.state, session.payment_status, late


async def ended(market: Market) -> Session:
    """Return a session whose time ran out an hour ago, which is stored and told to the provider."""
    session = await market.open(ttl=TTL)
    market.clock.time = session.expire_time + HOUR
    await market.sweep()
    found = await market.read(session)
    assert seen(found) == (State.EXPIRED, PaymentStatus.UNPAID, [])
    return found


async def test_the_grace_is_judged_to_the_second(
    market: Market, request: pytest.FixtureRequest
) -> None:
    """A payment at the last moment completes the session; one second later it is late, and stays in sight."""
    grace = GRACE[request.node.callspec.params["market"]]
    for delay, state, late in (
        (timedelta(0), State.COMPLETED, False),
        (SECOND, State.EXPIRED, True),
    ):
        session = await ended(market)
        assert session.payment_grace == grace
        at = session.expire_time + grace + delay
        await market.tell(session, Told(payment_id=f"P{late}", event_id=f"e{late}", at=at))
        found = await market.read(session)
        assert seen(found) == (state, PaymentStatus.PAID, [late])
        assert found.payments[0].payment_time == at
        assert found.payments[0].time_source is TimeSource.PROVIDER
        assert ("payment.late" in market.seen.events) == late


async def test_a_grace_of_the_account_is_kept(tmp_path: Path, empty_store: bytes) -> None:
    """What the operator set holds instead of the default."""
    async with opened(TELLERS["dodo"], tmp_path, empty_store, grace=HOUR) as market:
        session = await ended(market)
        await market.tell(session, Told(at=session.expire_time + HOUR))
        assert seen(await market.read(session))[0] is State.COMPLETED


@pytest.mark.parametrize(("delay", "state"), [(0, State.COMPLETED), (1, State.EXPIRED)])
async def test_nobody_waits_after_expire_session(delay: int, state: State, market: Market) -> None:
    """The moment of the call is the end, and there is no grace."""
    session = await market.open()
    end = (await market.rules.expire_session(session.session_id)).session.end_time
    assert end == market.clock.now()
    market.clock.time += HOUR
    await market.tell(session, Told(at=end + delay * SECOND))
    assert seen(await market.read(session)) == (state, PaymentStatus.PAID, [bool(delay)])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (PaymentState.PAID, (State.COMPLETED, PaymentStatus.PAID, [False])),
        (PaymentState.FAILED, (State.EXPIRED, PaymentStatus.UNPAID, [False])),
    ],
)
async def test_an_undecided_payment_outlives_the_session(
    word: PaymentState,
    expected: tuple[State, PaymentStatus, list[bool]],
    market: Market,
) -> None:
    """The session stays open and cannot be ended until the provider has decided, however long that takes."""
    session = await market.open(ttl=TTL)
    at = session.create_time + SECOND
    await market.tell(session, Told(PaymentState.PROCESSING, at=at))
    market.clock.time = session.expire_time + HOUR
    await market.sweep()
    found = await market.read(session)
    assert seen(found) == (State.OPEN, PaymentStatus.PROCESSING, [False])
    with pytest.raises(PaymentInProgress):
        await market.rules.expire_session(session.session_id)
    await market.tell(session, Told(word, event_id="event-2", at=at))
    assert seen(await market.read(session)) == expected


@pytest.mark.parametrize("is_reordered", [False, True])
async def test_a_transfer_that_takes_days_counts_from_when_it_was_ordered(
    is_reordered: bool, tmp_path: Path, empty_store: bytes
) -> None:
    """The provider dates the paid order by the money's arrival, and the submitted one by the buyer's word."""
    async with opened(TELLERS["fastspring"], tmp_path, empty_store) as market:
        session = await market.open()
        shop = emulator(market.place)
        hooks = await market.caught(shop.submit(session.provider_session_id))
        if not is_reordered:
            await market.deliver(*hooks)
        market.clock.time += timedelta(days=3)
        await market.sweep()
        arrived = await market.caught(shop.complete(session.provider_session_id))
        await market.deliver(*arrived)
        if is_reordered:
            late = await market.read(session)
            assert seen(late) == (State.EXPIRED, PaymentStatus.PAID, [True])
            await market.deliver(*hooks)
        found = await market.read(session)
        assert seen(found) == (State.COMPLETED, PaymentStatus.PAID, [False])
        assert found.payments[0].payment_time == session.create_time
