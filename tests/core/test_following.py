"""Payments whose end is open, and those that could not be read: asked about until they have one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import (
    ProviderOutcomeUnknown,
    ProviderRejected,
)
from service.core.model import PaymentState, PaymentStatus, State
from tests.core.builders import NOW
from tests.core.conftest import Service
from tests.core.looking import HOUR, MINUTE, again, look, open_shop, opened, read
from tests.core.seller import ListingSeller


@pytest.fixture
async def seller() -> ListingSeller:
    """A provider that lists what it sold."""
    return ListingSeller()


@pytest.fixture
async def shop(tmp_path: Path, empty_store: bytes, seller: ListingSeller) -> AsyncIterator[Service]:
    """A service that has begun to watch that provider."""
    async with open_shop(tmp_path, empty_store, seller) as service:
        yield service


@pytest.mark.parametrize(
    "error",
    [
        ProviderRejected("gone", metadata={"provider_status": "404"}),
        ProviderOutcomeUnknown("unreadable"),
    ],
)
async def test_one_payment_that_cannot_be_read_stops_nothing(
    shop: Service, seller: ListingSeller, error: ProviderRejected | ProviderOutcomeUnknown
) -> None:
    """The others are found, it ends no session, and it is asked about again, after a restart too."""
    seller.lists_in_short = True
    first, second = await opened(shop), await opened(shop)
    seller.sell("p1", first, NOW, PaymentState.PAID)
    seller.sell("p2", second, NOW, PaymentState.PAID)
    seller.unreadable["p1"] = error
    await look(shop)
    assert (await read(shop, second)).state is State.COMPLETED
    assert (await read(shop, first)).state is State.OPEN
    restarted = await again(shop)
    await look(restarted)
    seller.unreadable.clear()
    await look(restarted, times=5)
    assert (await read(shop, first)).state is State.COMPLETED


async def test_an_old_payment_that_cannot_be_read_is_not_given_up(
    shop: Service, seller: ListingSeller
) -> None:
    """However long ago it was made, it is asked about for a day from when it was found."""
    seller.lists_in_short = True
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    seller.unreadable["p"] = ProviderOutcomeUnknown("time-out")
    shop.clock.time += timedelta(days=5)
    await look(shop, times=3)
    assert await shop.store.looked_until("scripted", "default") == NOW
    seller.unreadable.clear()
    await look(shop, HOUR)
    assert (await read(shop, session_id)).payment_status is PaymentStatus.PAID
    assert await shop.store.looked_until("scripted", "default") == seller.listings[-1].until


async def test_a_buyer_who_decides_later_is_followed(shop: Service, seller: ListingSeller) -> None:
    """An attempt that was listed before it came to anything is asked about until it does."""
    session_id = await opened(shop)
    sale = seller.sell("p", session_id, NOW, None)
    await look(shop, times=10)
    assert seller.readings == ["p"] * 4
    sale.status = PaymentState.PAID
    await look(shop, times=10)
    assert (await read(shop, session_id)).state is State.COMPLETED
    await look(shop, HOUR, times=3)
    assert seller.readings == ["p"] * 5


async def test_an_attempt_outlives_a_restart(shop: Service, seller: ListingSeller) -> None:
    """The mark waits for the oldest attempt, so that a restart lists it again."""
    session_id = await opened(shop)
    sale = seller.sell("p", session_id, NOW + MINUTE / 4, None)
    await look(shop, times=20)
    assert await shop.store.looked_until("scripted", "default") == sale.made
    restarted = await again(shop)
    sale.status = PaymentState.PAID
    await look(restarted)
    assert (await read(shop, session_id)).state is State.COMPLETED
    assert await shop.store.looked_until("scripted", "default") == seller.listings[-1].until


async def test_an_attempt_that_comes_to_nothing_is_given_up(
    shop: Service, seller: ListingSeller
) -> None:
    """Once no page is left to pay on, nobody asks and the mark moves on."""
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, None)
    await look(shop, HOUR / 2, times=52)
    asked = len(seller.readings)
    assert asked < 16
    await look(shop, HOUR, times=5)
    assert len(seller.readings) == asked
    assert await shop.store.looked_until("scripted", "default") == seller.listings[-1].until


async def test_a_payment_that_is_decided_late_is_asked_about(
    shop: Service, seller: ListingSeller
) -> None:
    """A payment in progress leaves every window behind, and is asked about more and more rarely."""
    session_id = await opened(shop)
    sale = seller.sell("p", session_id, NOW, PaymentState.PROCESSING)
    await look(shop, times=70)
    # After 1, 2, 4, 8, 16, 32 and 64 minutes.
    assert len(seller.readings) == 7
    restarted = await again(shop)
    await look(restarted, 6 * HOUR, times=12)
    assert (await read(shop, session_id)).payment_status is PaymentStatus.PROCESSING
    sale.status = PaymentState.PAID
    await look(restarted, HOUR)
    assert (await read(shop, session_id)).state is State.COMPLETED
