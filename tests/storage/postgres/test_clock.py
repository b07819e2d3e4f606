"""The server's time as each replica keeps it."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.storage.location import postgres_place
from service.storage.postgres.clock import ServerClock
from service.storage.postgres.store import PostgresStore
from service.storage.rows import microseconds
from tests.storage.postgres.conftest import read

PATIENCE = 20
HOUR = timedelta(hours=1)
MILLISECONDS = 1000
ROUNDING = 20
"""What the drift adds on one way, and whole numbers."""

ROUND_TRIPS = st.tuples(st.integers(1, 2 * 10**6), st.integers(0, 50_000), st.integers(0, 50_000))
"""A pause, and how long the question and the answer are on their way."""


class Machine:
    """A machine whose oscillator is off, beside a server whose time is right."""

    def __init__(self, ahead: int, parts: int) -> None:
        self.server = 1_700_000_000_000_000
        self._begin, self._ahead, self._parts = self.server, ahead, parts

    def ticks(self) -> int:
        """Return this machine's microseconds."""
        passed = self.server - self._begin
        return passed + self._ahead + passed * self._parts // 1_000_000

    def ask(self, clock: ServerClock, there: int, back: int) -> None:
        """Measure once."""
        asked = self.ticks()
        self.server += there
        told = self.server
        self.server += back
        clock.learn(asked, told, self.ticks())

    def is_off(self, clock: ServerClock) -> int:
        """Return by how much a clock is off."""
        return abs(microseconds(clock.now()) - self.server)


@given(
    ahead=st.integers(1, 10**12),
    parts=st.integers(-190, 190),
    trips=st.lists(ROUND_TRIPS, min_size=1),
)
def test_the_error_is_never_larger_than_told(
    ahead: int, parts: int, trips: list[tuple[int, int, int]]
) -> None:
    """Whatever the ways there and back take, and however the machine drifts, the bound holds."""
    machine = Machine(ahead, parts)
    clock = ServerClock(machine.ticks)
    for pause, there, back in trips:
        machine.server += pause
        machine.ask(clock, there, back)
        assert machine.is_off(clock) <= clock.error / timedelta(microseconds=1) + ROUNDING


def test_the_shortest_round_trip_counts() -> None:
    """A slow answer makes nothing worse that a fast one has told a moment ago."""
    machine = Machine(5, 0)
    clock = ServerClock(machine.ticks)
    machine.ask(clock, 100, 100)
    machine.ask(clock, 40 * MILLISECONDS, 0)
    assert machine.is_off(clock) <= 110
    assert clock.error < timedelta(milliseconds=1)


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_server_whose_clock_is_set_is_followed(step: timedelta) -> None:
    """After the server's clock was set, or another server took its place, the next answer counts alone."""
    machine = Machine(5, 0)
    clock = ServerClock(machine.ticks)
    machine.ask(clock, 100, 100)
    before = clock.now()
    asked = machine.ticks()
    clock.learn(asked, machine.server + step // timedelta(microseconds=1), asked)
    assert abs(clock.now() - before - step) < timedelta(milliseconds=1)


async def test_each_replica_tells_the_servers_time(url: str) -> None:
    """Replicas whose machines are hours apart agree with the server from their first moment."""
    place = postgres_place(url)
    stores = [
        await PostgresStore.open(place, ticks=lambda hours=hours: hours * 3_600_000_000)  # type: ignore[misc]
        for hours in (0, 1, -1)
    ]
    for store in stores:
        assert store.clock.error < timedelta(seconds=5)
        told = await asyncio.to_thread(read, url, "SELECT clock_timestamp()")
        # These machines' time stands still: what has passed since is known to the server alone.
        assert timedelta(0) <= told - store.clock.now() < timedelta(seconds=PATIENCE)  # type: ignore[operator]
        await store.close()


async def test_the_time_is_measured_again(url: str) -> None:
    """A clock goes on being measured, so that it does not drift away."""
    hours = [0]
    store = await PostgresStore.open(postgres_place(url), ticks=lambda: hours[0] * 3_600_000_000)
    before = store.clock.now()
    # The machine has slept, and counts the time twice.
    hours[0] = 5
    assert store.clock.now() - before > 4 * HOUR
    async with asyncio.timeout(PATIENCE):
        while store.clock.now() - before > HOUR:
            await asyncio.sleep(0.05)
    await store.close()
