"""How streams are written: in messages of some size, and for readers who read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from checkout.v1 import checkout_service_pb2 as pb
from service.api.watching import Watching
from service.core.errors import ShuttingDown, WatcherTooSlow
from service.core.watcher import BACKLOG, LONGEST_BUSY
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.core.following import PATIENCE, Watched
from tests.core.scripted import ScriptedProvider
from tests.core.test_end import opened

LIMIT = 1500


class Reader:
    """A caller who reads as long as the gate is open."""

    def __init__(self, service: Service) -> None:
        service.clock.stands_still = True
        self.registry = CollectorRegistry()
        self.watched = Watched(service)
        self.served = Watching(watch=self.watched.watch, links=None, registry=self.registry)
        self.gate = asyncio.Event()
        self.gate.set()
        self.messages: list[bytes] = []
        self.writes = 0

    async def write(self, message: bytes) -> None:
        """Take a message, once the gate is open."""
        self.writes += 1
        await self.gate.wait()
        self.messages.append(message)

    async def snapshot(self, cursor: str = "") -> list[pb.WatchSessionsResponse]:
        """Return the messages up to the first checkpoint."""
        self.messages.clear()
        request = pb.WatchSessionsRequest(cursor=cursor)
        task = asyncio.ensure_future(self.served(request, self.write))
        async with asyncio.timeout(PATIENCE):
            while (
                not self.messages or pb.WatchSessionsResponse.FromString(self.messages[-1]).changes
            ):
                await asyncio.sleep(0)
        task.cancel()
        return [pb.WatchSessionsResponse.FromString(one) for one in self.messages[:-1]]

    @contextmanager
    def reading(self) -> Iterator[asyncio.Task[None]]:
        """Open a stream."""
        task = asyncio.ensure_future(self.served(pb.WatchSessionsRequest(), self.write))
        yield task
        task.cancel()

    async def until(self, writes: int) -> None:
        """Return when so many messages were begun to be written."""
        async with asyncio.timeout(PATIENCE):
            while self.writes < writes:
                await asyncio.sleep(0)

    def count(self, name: str) -> float:
        """Return the value of a metric."""
        return self.registry.get_sample_value(name) or 0.0


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """Return the use cases on a store of their own."""
    url = f"sqlite:///{tmp_path / 'checkout.db'}"
    await asyncio.to_thread(migrate, url)
    store = await open_store(url)
    yield await serving(store, ManualClock(), ScriptedProvider(), CountingIds())
    await store.close()


@pytest.fixture
def reader(service: Service) -> Reader:
    """Return a caller of the real use case."""
    return Reader(service)


async def test_what_comes_together_shares_messages(
    service: Service, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many changes travel in few messages, none of them larger than it may be; the last cursor counts."""
    monkeypatch.setattr("service.api.watching._MESSAGE_BYTES", LIMIT)
    ids = [await opened(service) for _ in range(12)]
    first, *others = await reader.snapshot()
    told = [change.session_id for message in (first, *others) for change in message.changes]
    assert told == ids[::-1]
    assert 1 < len(others) + 1 < len(ids)
    assert all(len(message) <= LIMIT for message in reader.messages)
    rest = await reader.snapshot(first.cursor)
    assert [one.session_id for message in rest for one in message.changes] == told[
        len(first.changes) :
    ]


async def test_a_watcher_behind_is_cut_in_the_middle_of_a_write(
    service: Service, reader: Reader
) -> None:
    """Who reads nothing while too much happens is told so, although a message to it is still under way."""
    with reader.reading() as task:
        await reader.until(1)
        reader.gate.clear()
        await opened(service)
        await reader.until(2)
        (watcher,) = reader.watched.feed.watchers
        watcher.hear([object()] * BACKLOG)  # type: ignore[list-item]
        await opened(service)
        with pytest.raises(WatcherTooSlow):
            await asyncio.wait_for(task, PATIENCE)
    assert reader.count("checkout_watchers_cut_total") == 1
    assert reader.count("checkout_watchers_open") == 0


async def test_a_write_that_takes_too_long_ends_the_stream(
    service: Service, reader: Reader
) -> None:
    """Who does not read at all is told so after a while, although nothing happens."""
    reader.gate.clear()
    with reader.reading() as task:
        await reader.until(1)
        began = service.clock.time
        service.clock.stands_still = False
        with pytest.raises(WatcherTooSlow):
            await asyncio.wait_for(task, PATIENCE)
    assert timedelta(seconds=30) <= service.clock.time - began <= timedelta(seconds=60)
    assert reader.count("checkout_watchers_cut_total") == 1


async def test_a_reader_that_is_slow_and_steady_is_not_cut(
    service: Service, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time counts for each message, however many of them were told together."""
    monkeypatch.setattr("service.api.watching._MESSAGE_BYTES", 1)
    number = 4 * LONGEST_BUSY
    for _ in range(number):
        await opened(service)
    taken = asyncio.Semaphore(0)

    async def write(_: bytes) -> None:
        reader.writes += 1
        await taken.acquire()

    monkeypatch.setattr(reader, "write", write)
    with reader.reading() as task:
        await reader.until(1)
        (watcher,) = reader.watched.feed.watchers
        for writes in range(1, number + 1):
            await reader.until(writes)
            watcher.tick()
            taken.release()
        await reader.until(number + 1)
        assert not task.done()
    assert watcher.failure is None


async def test_a_stop_waits_for_no_reader(reader: Reader) -> None:
    """A stream that is being written when the server stops ends at once, and is not counted as cut."""
    reader.gate.clear()
    with reader.reading() as task:
        await reader.until(1)
        reader.served.close()
        with pytest.raises(ShuttingDown):
            await asyncio.wait_for(task, PATIENCE)
    assert reader.count("checkout_watchers_cut_total") == 0
