"""Which calls are taken."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.api.interceptors.base import Call
from service.api.interceptors.limits import Limits
from service.core.errors import InvalidRequest, ShuttingDown
from tests.api.interceptors.passing import CHECK, answering, passing

GRACE = timedelta(seconds=20)


async def test_an_unreadable_message_is_refused() -> None:
    """Why a message could not be read is raised where errors are answered."""
    call, _ = passing()
    call.request = wrong = InvalidRequest("text")
    with pytest.raises(InvalidRequest) as caught:
        await Limits().intercept(call, answering())
    assert caught.value is wrong


async def test_a_draining_server_takes_no_calls_of_ours() -> None:
    """New work is refused, while health still answers."""
    limits = Limits()
    await limits.drain(GRACE)
    call, _ = passing()
    with pytest.raises(ShuttingDown):
        await limits.intercept(call, answering())
    check, _ = passing(path=CHECK)
    assert await limits.intercept(check, answering("healthy")) == "healthy"


async def test_a_drain_waits_for_calls() -> None:
    """The drain ends when the last call has ended."""
    limits, gate = Limits(), asyncio.Event()

    async def proceed(_: Call) -> str:
        await gate.wait()
        return "done"

    running = [asyncio.create_task(limits.intercept(passing()[0], proceed)) for _ in range(2)]
    await asyncio.sleep(0)
    drain = asyncio.create_task(limits.drain(GRACE))
    await asyncio.sleep(0)
    assert not drain.done()
    gate.set()
    assert await asyncio.gather(*running) == ["done", "done"]
    await drain


async def test_a_drain_gives_up_after_its_grace() -> None:
    """A call that never ends does not hold the drain for ever."""
    limits = Limits()

    async def proceed(_: Call) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(limits.intercept(passing()[0], proceed))
    await asyncio.sleep(0)
    await limits.drain(timedelta(0))
    assert not running.done()
    running.cancel()


async def test_a_drain_leaves_streams_that_do_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream is told to end elsewhere; one that nobody reads does not hold the drain for its grace."""
    monkeypatch.setattr("service.api.interceptors.limits._LONGEST_WAIT_FOR_STREAMS", timedelta(0))
    limits = Limits()

    async def proceed(_: Call) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(limits.intercept(passing(is_stream=True)[0], proceed))
    await asyncio.sleep(0)
    async with asyncio.timeout(GRACE.total_seconds() / 2):
        await limits.drain(GRACE)
    assert not running.done()
    running.cancel()
