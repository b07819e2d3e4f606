"""Missed payments are found at an emulated provider, and creates go first while they are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from service.core.model import CreateRequest, State
from service.core.ports import Provider
from service.core.rules import Rules, build_rules
from service.providers.budget import RECONCILE_SHARE, Rate
from service.providers.registry import build_provider
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.builders import cart
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.providers.sandbox import Place
from tests.providers.suite import settings_for

RATE = Rate(per_second=200, burst=40)
MINUTE = timedelta(minutes=1)
REQUEST = CreateRequest(provider="dodo", cart=cart())


class Calls:
    """When each call to the provider had ended, by what it was."""

    def __init__(self) -> None:
        self.ended: list[tuple[float, str]] = []

    def __call__(self, operation: str, outcome: str, _: float, /) -> None:
        assert outcome == "2xx"
        self.ended.append((asyncio.get_running_loop().time(), operation))

    @property
    def counted(self) -> Counter[str]:
        """How many there were of each."""
        return Counter(operation for _, operation in self.ended)


class Shop(NamedTuple):
    """A service at the emulated provider, which has a rate."""

    rules: Rules
    provider: Provider
    clock: ManualClock
    calls: Calls
    place: Place

    async def sell(self, number: int) -> list[str]:
        """Create sessions, and let the buyer of each pay."""
        made = [
            (await self.rules.create_session(REQUEST, caller="a", deadline=None)).session
            for _ in range(number)
        ]
        for session in made:
            self.place.sandbox.emulators["dodo"].pay(session.provider_session_id)
        return [session.session_id for session in made]

    async def look(self) -> None:
        """Look once, a minute after the last look."""
        self.clock.time += MINUTE
        (account,) = self.rules.reconciliation.accounts
        await account.look()

    async def states(self, session_ids: list[str]) -> set[State]:
        """Return where sessions stand."""
        views = [await self.rules.get_session(session_id) for session_id in session_ids]
        return {view.session.state for view in views}


@pytest.fixture
async def shop(place: Place, tmp_path: Path) -> AsyncIterator[Shop]:
    """A service that has begun to watch its account."""
    url = f"sqlite:///{tmp_path}/checkout.db"
    await asyncio.to_thread(migrate, url)
    store, clock, calls = await open_store(url), ManualClock(), Calls()
    settings = settings_for(place, "dodo", rate=RATE)
    provider = build_provider(settings, chance=lambda: 0.0, observe=calls)
    rules = build_rules(
        store=store,
        providers=[provider],
        observer=Observations(),
        clock=clock,
        ids=CountingIds(),
        secret=await store.secret(),
        sweep_interval=MINUTE,
    )
    shop = Shop(rules, provider, clock, calls, place)
    for account in rules.reconciliation.accounts:
        await account.look()
    yield shop
    await rules.background.drain(MINUTE)
    await provider.close()
    await store.close()


async def test_looking_costs_what_it_must(shop: Shop) -> None:
    """A quiet look is one call; a payment that is news is one more, once."""
    await shop.look()
    assert shop.calls.counted == {"list_payments": 1}
    sold = await shop.sell(3)
    await shop.look()
    assert await shop.states(sold) == {State.COMPLETED}
    await shop.look()
    assert shop.calls.counted == {"create": 3, "list_payments": 3, "retrieve_payment": 3}


async def test_creates_go_first(shop: Shop) -> None:
    """While many payments are found, it takes a quarter of the rate, and nobody's create is refused."""
    sold = await shop.sell(40)
    shop.calls.ended.clear()
    began = asyncio.get_running_loop().time()
    looking = asyncio.create_task(shop.look())
    creates = 0
    while not looking.done():
        await shop.rules.create_session(REQUEST, caller="a", deadline=None)
        creates += 1
    await looking
    assert await shop.states(sold) == {State.COMPLETED}
    assert shop.calls.counted["create"] == creates
    looked = [at - began for at, operation in shop.calls.ended if operation != "create"]
    share, burst = RATE.per_second * RECONCILE_SHARE, RATE.burst * RECONCILE_SHARE
    for number, after in enumerate(looked, 1):
        assert number <= burst + share * after + 1
    assert len(looked) == 41
