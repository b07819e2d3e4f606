"""A connection that breaks in the middle of a commit: its outcome is unknown to the caller, and known to the store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import pytest

from service.core.errors import EventKnown, RequestIdTaken, StoreUnavailable
from service.core.ports import Store
from service.core.record import RequestKey
from service.storage.connections import Connections
from service.storage.registry import open_store
from tests.e2e.wire.database_proxy import Cut, DatabaseProxy, database_proxy
from tests.storage.postgres.server import Server
from tests.storage.records import changed, event, query, record, session_id

KEY = RequestKey("shop", "order-1")
FEW = Connections(writers=2, readers=1, patience=timedelta(seconds=60))


@pytest.fixture
def line(server: Server) -> Iterator[DatabaseProxy]:
    """Stand between the store and its server."""
    with database_proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def store(url: str, line: DatabaseProxy) -> AsyncIterator[Store]:
    """Open the store at the other end of the line, with few connections."""
    opened = await open_store(line.url("checkout"), FEW)
    yield opened
    await opened.close()


Call = Callable[[Store], Awaitable[None]]


async def create(store: Store) -> None:
    """Store a session under its request id."""
    await store.create(record(1, KEY))


async def save(store: Store) -> None:
    """Store its next version, a link to it and an event."""
    await store.save(
        changed(record(1, KEY)), expected_version=1, references=("payment:1",), event=event()
    )


async def receive(store: Store) -> None:
    """Store an event alone."""
    await store.receive(event())


class Step(NamedTuple):
    """A call, words of its statement, and what it raises where it was stored before."""

    call: Call
    words: str
    known: type[Exception]


STEPS = [
    Step(create, "INSERT INTO request_keys", RequestIdTaken),
    Step(save, "UPDATE sessions SET", EventKnown),
    Step(receive, "INSERT INTO inbox", EventKnown),
]


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("step", STEPS, ids=["create", "save", "receive"])
async def test_a_retry_finds_what_was_stored(
    store: Store, line: DatabaseProxy, step: Step, cut: Cut
) -> None:
    """Whoever was cut off is told that the outcome is unknown; asked again, the store has the step once."""
    if step.call is save:
        await create(store)
    line.cut(step.words, cut)
    with pytest.raises(StoreUnavailable):
        await step.call(store)
    line.wait_until_cut()
    if cut is Cut.AFTER:
        with pytest.raises(step.known):
            await step.call(store)
    else:
        await step.call(store)
    if step.call is not receive:
        expected = changed(record(1, KEY)) if step.call is save else record(1, KEY)
        assert await store.find_by_request(KEY) == expected
        assert await store.list_sessions(query()) == [expected.session]


async def test_every_connection_comes_back(store: Store, line: DatabaseProxy) -> None:
    """After each break there are as many connections as before: nothing is left waiting for a dead one."""
    for number in range(2 * FEW.writers):
        line.cut("INSERT INTO request_keys", Cut.AFTER)
        with pytest.raises(StoreUnavailable):
            await store.create(record(number, RequestKey("shop", str(number))))
    wanted = range(100, 120)
    await asyncio.gather(*(store.create(record(number)) for number in wanted))
    assert all([await store.find(session_id(number)) for number in wanted])


async def test_a_line_that_is_down_comes_back(store: Store, line: DatabaseProxy) -> None:
    """Calls fail while the database cannot be reached, and none of them is stuck once it can."""
    with line.away():
        calls = [store.create(record(number)) for number in range(10)]
        answers = await asyncio.gather(*calls, store.find(session_id(1)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
    with suppress(StoreUnavailable):
        # A connection may not have noticed yet.
        await store.ping()
    await asyncio.gather(*(store.create(record(number)) for number in range(10)))
    assert await store.find(session_id(9)) == record(9)
