"""What no webhook tells is found, window by window, and once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from service.core.errors import (
    ProviderRejected,
    ProviderUnavailable,
)
from service.core.model import PaymentState, PaymentStatus, State
from service.core.ports import ProviderEvent
from service.core.purpose import Purpose
from service.core.unmatched import UnmatchedFilter
from service.core.window import OVERLAP
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


@pytest.mark.parametrize("lists_in_short", [False, True])
async def test_lost_webhooks_leave_the_right_sessions(
    shop: Service, seller: ListingSeller, lists_in_short: bool
) -> None:
    """Paid, declined, undecided, unpaid and late: each session ends as if every webhook had come."""
    seller.lists_in_short = lists_in_short
    paid, declined, undecided, unpaid = [await opened(shop) for _ in range(4)]
    late = await opened(shop, ttl=MINUTE)
    shop.clock.time += MINUTE
    now = shop.clock.now()
    seller.sell("p1", paid, now, PaymentState.PAID)
    seller.sell("p2", declined, now, PaymentState.FAILED)
    seller.sell("p3", undecided, now, PaymentState.PROCESSING)
    seller.sell("p5", late, now + 6 * MINUTE, PaymentState.PAID)
    await look(shop, 4 * MINUTE, times=2)
    sessions = [await read(shop, one) for one in (paid, declined, undecided, unpaid, late)]
    assert [one.state for one in sessions] == [
        State.COMPLETED,
        State.OPEN,
        State.OPEN,
        State.OPEN,
        State.EXPIRED,
    ]
    assert [one.payment_status for one in sessions] == [
        PaymentStatus.PAID,
        PaymentStatus.UNPAID,
        PaymentStatus.PROCESSING,
        PaymentStatus.UNPAID,
        PaymentStatus.PAID,
    ]
    assert sessions[4].payments[0].late
    # What is undecided is asked about by itself, whatever the list has told.
    listed = {"p1", "p2", "p3", "p5"} if lists_in_short else set()
    assert {*seller.readings} == listed | {"p3"}
    assert shop.observations.events.count("reconcile.found") == 4
    assert seller.purposes == {Purpose.RECONCILE}


async def test_a_quiet_account_costs_one_call_a_look(shop: Service, seller: ListingSeller) -> None:
    """Each window begins before the last one ended, and ends where webhooks have had their time."""
    await look(shop, times=3)
    ends = [NOW + n * MINUTE - MINUTE / 2 for n in (1, 2, 3)]
    assert [window.until for window in seller.listings] == ends
    assert [window.since for window in seller.listings[1:]] == [end - OVERLAP for end in ends[:2]]
    assert seller.readings == []


async def test_time_that_passes_while_pages_are_turned_is_for_the_next_look(
    shop: Service, seller: ListingSeller
) -> None:
    """A clock that goes on opens no further window in the same look."""
    seller.on_listing = lambda: setattr(shop.clock, "time", shop.clock.time + MINUTE)
    await look(shop)
    assert len(seller.listings) == 1
    await look(shop)
    assert len(seller.listings) == 2


async def test_what_is_known_is_read_once(shop: Service, seller: ListingSeller) -> None:
    """A payment that several windows list is news in the first alone."""
    seller.lists_in_short = True
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    await look(shop)
    version = (await read(shop, session_id)).version
    await look(shop)
    assert (len(seller.listings), seller.readings) == (2, ["p"])
    assert (await read(shop, session_id)).version == version


async def test_a_window_makes_up_for_a_downtime(shop: Service, seller: ListingSeller) -> None:
    """What was paid while nobody looked is found however long ago, in pieces that are remembered."""
    session_ids = [await opened(shop) for _ in range(3)]
    for days, session_id in enumerate(session_ids):
        seller.sell(f"p{days}", session_id, NOW + timedelta(hours=20 * days), PaymentState.PAID)
    shop.clock.time += timedelta(days=3)
    restarted = await again(shop)
    await look(restarted)
    assert [(await read(shop, one)).payment_status for one in session_ids] == [
        PaymentStatus.PAID
    ] * 3
    longest = max(window.until - window.since for window in seller.listings)
    assert longest == timedelta(days=1) + OVERLAP
    assert await shop.store.looked_until("scripted", "default") == seller.listings[-1].until


async def test_the_first_start_begins_now(shop: Service, seller: ListingSeller) -> None:
    """What was sold before the service was there is not its business, and a crash forgets no beginning."""
    assert await shop.store.looked_until("scripted", "default") == NOW
    shop.clock.time += HOUR
    restarted = await again(shop)
    await look(restarted)
    assert seller.listings[0].since == NOW - OVERLAP


async def test_pages_are_turned_to_the_end(shop: Service, seller: ListingSeller) -> None:
    """Every page of a window is looked at, and no further."""
    seller.page_size = 2
    session_ids = [await opened(shop) for _ in range(5)]
    for number, session_id in enumerate(session_ids):
        seller.sell(f"p{number}", session_id, NOW, PaymentState.PAID)
    await look(shop)
    assert [window.page for window in seller.listings] == ["", "2", "4"]
    assert {(await read(shop, one)).state for one in session_ids} == {State.COMPLETED}


async def test_a_look_goes_no_further_than_its_share(shop: Service, seller: ListingSeller) -> None:
    """A long window is cut after fifty pages, and the next look goes on from there."""
    seller.page_size = 1
    session_id = await opened(shop)
    for number in range(60):
        seller.sell(f"other{number}", "", NOW, PaymentState.PAID)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    await look(shop)
    assert (len(seller.listings), (await read(shop, session_id)).state) == (50, State.OPEN)
    assert await shop.store.looked_until("scripted", "default") == NOW
    await look(shop)
    assert seller.listings[50].page == "50"
    assert State.COMPLETED is (await read(shop, session_id)).state


async def test_a_place_that_is_good_no_more_is_left(shop: Service, seller: ListingSeller) -> None:
    """A page the provider refuses is where a window begins again, and nothing is skipped."""
    seller.page_size = 1
    for number in range(60):
        seller.sell(f"other{number}", "", NOW, PaymentState.PAID)
    await look(shop)
    seller.down = ProviderRejected("the cursor is too old")
    await look(shop)
    seller.down = None
    await look(shop, times=2)
    assert [window.page for window in seller.listings[49:53]] == ["49", "50", "", "1"]
    assert await shop.store.looked_until("scripted", "default") == seller.listings[0].until


async def test_a_provider_that_is_down_is_noted_once(shop: Service, seller: ListingSeller) -> None:
    """Every look tries again, nothing is skipped, and an outage is one line."""
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    seller.down = ProviderUnavailable("down")
    await look(shop, times=3)
    assert shop.observations.events.count("reconcile.failed") == 1
    assert await shop.store.looked_until("scripted", "default") == NOW
    seller.down = None
    await look(shop)
    assert State.COMPLETED is (await read(shop, session_id)).state
    seller.down = ProviderUnavailable("down again")
    await look(shop)
    assert shop.observations.events.count("reconcile.failed") == 2


async def test_a_provider_that_goes_down_in_mid_window(
    shop: Service, seller: ListingSeller
) -> None:
    """The page it failed on is looked at again, and what was found before stays found once."""
    seller.lists_in_short = True
    first, second = await opened(shop), await opened(shop)
    seller.sell("p1", first, NOW, PaymentState.PAID)
    seller.sell("p2", second, NOW, PaymentState.PAID)
    seller.unreadable["p2"] = ProviderUnavailable("down")
    await look(shop)
    assert (await read(shop, first)).state is State.COMPLETED
    assert (await read(shop, second)).state is State.OPEN
    del seller.unreadable["p2"]
    await look(shop)
    assert (await read(shop, second)).state is State.COMPLETED
    assert seller.readings == ["p1", "p2", "p2"]


async def test_an_event_of_no_payment_is_passed_over(shop: Service, seller: ListingSeller) -> None:
    """What tells of a session, and of no payment of it, is neither followed nor an error."""
    session_id = await opened(shop)
    event = ProviderEvent(event_id="e", event_type="other", session_id=session_id)
    of_another = structs.replace(event, is_elsewhere=True, references=("payment:p",))
    seller.extra = [event, of_another]
    await look(shop, times=3)
    assert (seller.readings, shop.observations.events.count("reconcile.failed")) == ([], 0)
    assert await shop.store.looked_until("scripted", "default") == seller.listings[-1].until


async def test_other_sales_are_passed_over(shop: Service, seller: ListingSeller) -> None:
    """What the merchant sells elsewhere is neither stored nor asked about."""
    seller.lists_in_short = True
    seller.sell("p", "", NOW, PaymentState.PAID)
    await look(shop)
    assert seller.readings == []
    assert (await shop.unmatched(UnmatchedFilter(), 0, "")).payments == ()


async def test_a_payment_of_a_session_that_is_lost_is_kept(
    shop: Service, seller: ListingSeller
) -> None:
    """A payment with our id and no session of ours is listed as unmatched, once."""
    seller.lists_in_short = True
    seller.sell("p", "cs_lost", NOW, PaymentState.PAID)
    await look(shop, times=2)
    (kept,) = (await shop.unmatched(UnmatchedFilter(), 0, "")).payments
    assert (kept.facts.payment_id, kept.facts.session_id) == ("p", "cs_lost")
    assert seller.readings == ["p"]


async def test_an_unmatched_payment_that_a_webhook_told_is_not_kept_twice(
    shop: Service, seller: ListingSeller
) -> None:
    """Whoever told first, one payment that nobody can place is one line."""
    seller.sell("p", "cs_lost", NOW, PaymentState.PAID)
    event = {"id": "e", "payment": "p", "status": "PAID", "references": ["payment:p"]}
    body = msgspec.json.encode(event | {"session": "cs_lost"})
    await shop.webhook("scripted", "default", {"signature": "good"}, body)
    await look(shop)
    assert len((await shop.unmatched(UnmatchedFilter(), 0, "")).payments) == 1


async def test_what_cannot_be_read_of_a_list_is_told(shop: Service, seller: ListingSeller) -> None:
    """A malformed entry is noted, and what stands beside it is found."""
    session_id = await opened(shop)
    seller.extra = [ProviderEvent(event_id="", event_type="listed", unreadable="no id")]
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    await look(shop)
    assert "reconcile.unreadable" in shop.observations.events
    assert (await read(shop, session_id)).state is State.COMPLETED


async def test_a_store_that_is_away_loses_nothing(shop: Service, seller: ListingSeller) -> None:
    """While nothing can be stored the window stays where it is."""
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    shop.store.away = True
    await look(shop)
    assert "reconcile.failed" in shop.observations.events
    shop.store.away = False
    await look(shop)
    assert (await read(shop, session_id)).state is State.COMPLETED


async def test_a_clock_that_was_ahead_stops_nothing(shop: Service, seller: ListingSeller) -> None:
    """A mark in the future, left by a wrong clock, is not waited for."""
    await shop.store.look_from("scripted", "default", NOW + timedelta(days=300))
    restarted = await again(shop)
    await look(restarted)
    assert seller.listings[0].since == NOW - OVERLAP


async def test_a_watch_runs_until_it_is_cancelled(shop: Service, seller: ListingSeller) -> None:
    """The task looks again after each interval, and a stop waits for nothing."""
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, PaymentState.PAID)
    running = asyncio.create_task(shop.reconciliation.run())
    while (await read(shop, session_id)).state is State.OPEN:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_nobody_is_asked_who_can_neither_list_nor_tell(
    tmp_path: Path, empty_store: bytes
) -> None:
    """An account that declares neither is left alone."""
    provider = ListingSeller()
    provider.capabilities = msgspec.structs.replace(
        provider.capabilities, retrieve=False, lists_payments=False
    )
    async with open_shop(tmp_path, empty_store, provider) as service:
        assert service.reconciliation.accounts == []
        await service.reconciliation.run()
