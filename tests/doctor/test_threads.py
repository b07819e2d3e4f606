"""Threads that nobody waits for."""

import asyncio
import threading

import pytest

from service.doctor.threads import AbandonableThreads


def test_hanging_call_does_not_hold_up_the_end() -> None:
    """A loop closes while a call still hangs in a thread."""
    hanging = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(hanging.wait), 0.01)

    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(AbandonableThreads())
        runner.run(give_up())
    assert not hanging.is_set()
    hanging.set()


def test_results_and_errors_come_back() -> None:
    """A call's result and its error are the caller's."""
    with AbandonableThreads() as threads:
        assert threads.submit(divmod, 7, 2).result(5) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, 1, 0).result(5)
