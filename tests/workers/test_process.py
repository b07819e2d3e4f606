"""A worker as its supervisor sees it: a real process that speaks when it is told to."""

import asyncio
import os
import signal
from pathlib import Path

from service.config import read
from service.workers.orders import Order
from service.workers.process import Worker
from tests.workers.test_supervisor import PATIENCE, program

SPEAKING = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print('{"event":"serving"}', flush=True)
while signal.sigwait([signal.SIGUSR1]):
    print('{"event":"alive"}', flush=True)
"""


async def test_what_is_said_is_heard_once(tmp_path: Path) -> None:
    """A worker has spoken until somebody asks, and has again once it has said another word."""
    order = Order(1, os.getpid(), read(environ={}).settings, 0, tmp_path)
    worker = await Worker.begin(order, program(SPEAKING))
    serving = asyncio.Event()
    following = asyncio.create_task(worker.follow(serving.set))
    async with asyncio.timeout(PATIENCE):
        await serving.wait()
        assert [worker.has_spoken(), worker.has_spoken()] == [True, False]
        os.kill(worker.pid, signal.SIGUSR1)
        while not worker.has_spoken():
            await asyncio.sleep(0.01)
        worker.kill()
        assert await following == -signal.SIGKILL
