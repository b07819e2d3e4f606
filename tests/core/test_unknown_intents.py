"""The store breaks off while an intent is stored: nobody knows whether it was, and its request can be repeated."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.core.errors import ProviderRejected, StoreUnavailable
from service.core.model import State
from service.core.query import ListFilter
from service.core.record import AttemptOutcome
from service.storage.registry import open_store
from tests.core.builders import request
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.core.scripted import ScriptedProvider

BOTH = pytest.mark.parametrize("is_stored", [True, False])


class BreakingOff:
    """The real store, whose next creations end without an answer: those told so are stored all the same."""

    def __init__(self, store: Any) -> None:  # noqa: ANN401 - whatever the rules call of it
        self._store = store
        self.breaks: list[bool] = []
        self.away_for = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def create(self, *args: object) -> None:
        is_stored = self.breaks.pop(0) if self.breaks else None
        if is_stored is not False:
            await self._store.create(*args)
        if is_stored is not None:
            raise StoreUnavailable("broken off")

    async def find(self, session_id: str) -> object:
        if self.away_for:
            self.away_for -= 1
            raise StoreUnavailable("away")
        return await self._store.find(session_id)


@pytest.fixture
async def service(tmp_path: Path, empty_store: bytes) -> AsyncIterator[Service]:
    """Return the use cases on a store that can be told to break off."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty_store)
    store = BreakingOff(await open_store(f"sqlite:///{path}"))
    opened = await serving(store, ManualClock(), ScriptedProvider(), CountingIds())
    yield opened
    await opened.background.drain(timedelta(seconds=60))
    await store._store.close()


async def create(service: Service, **asked: object) -> object:
    """Create a session and return its state."""
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.state


async def settled(service: Service) -> None:
    """Wait for what goes on without a caller."""
    for task in [*service.background._tasks]:
        await task


@BOTH
async def test_repeat_creates_at_once(service: Service, is_stored: bool) -> None:
    """Nothing was sent, so a repeat calls the provider without waiting for the lease, and once."""
    service.store.breaks = [is_stored]
    with pytest.raises(StoreUnavailable):
        await create(service, request_id="a")
    await settled(service)
    assert service.provider.calls == []
    before = service.clock.now()
    assert await create(service, request_id="a") is State.OPEN
    assert service.clock.now() == before
    assert len(service.provider.calls) == 1


@pytest.mark.parametrize(("away_for", "tries"), [(3, 4), (1_000, 120)])
async def test_waits_for_a_store_that_is_away(service: Service, away_for: int, tries: int) -> None:
    """As long as the store does not answer it is asked again twice a second, and no longer than the lease."""
    service.store.breaks, service.store.away_for = [True], away_for
    before = service.clock.now()
    with pytest.raises(StoreUnavailable):
        await create(service, request_id="a")
    await settled(service)
    assert service.clock.now() == before + tries * timedelta(milliseconds=500)
    service.store.away_for = 0
    assert await create(service, request_id="a") is State.OPEN


async def test_an_attempt_that_was_made_meanwhile_is_left_alone(service: Service) -> None:
    """Whoever took the session over by then keeps it."""
    service.store.breaks = [True]
    service.clock.stands_still = True
    with pytest.raises(StoreUnavailable):
        await create(service, request_id="a")
    service.clock.time += timedelta(seconds=61)
    service.provider.script.append(ProviderRejected("no"))
    with pytest.raises(ProviderRejected):
        await create(service, request_id="a")
    await settled(service)
    with pytest.raises(ProviderRejected):
        await create(service, request_id="a")
    assert len(service.provider.calls) == 1


async def test_without_a_request_id_nobody_repeats(service: Service) -> None:
    """The session nobody can ask for is given up when its lease is over, as any other that is left."""
    service.store.breaks = [True]
    with pytest.raises(StoreUnavailable):
        await create(service)
    assert not service.background._tasks
    (listed,) = (await service.list(ListFilter(), 1, "")).sessions
    record = await service.store.find(listed.session_id)
    assert record.attempt.outcome is AttemptOutcome.IN_FLIGHT
