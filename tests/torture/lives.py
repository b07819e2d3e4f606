"""The lives of one service: each begins on the store that the one before has left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import grpc.aio

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.storage.migrate import migrate
from tests.e2e.process import environment, log_lines

VICTIM = (sys.executable, "-m", "tests.torture.victim")
PATIENCE = 30.0
_LOOK_AGAIN = 0.005


class Nursery:
    """A process that starts one service after the other, at most one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    async def start(self, **order: object) -> int:
        """Start a service and return its process id."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return await self._heard("born")

    async def death(self) -> int:
        """Wait until the service has ended and return its exit status, negative for a signal."""
        return await self._heard("dead")

    async def _heard(self, what: str) -> int:
        assert self._process.stdout
        said = await asyncio.to_thread(self._process.stdout.readline)
        word, _, number = said.partition(" ")
        assert word == what, said
        return int(number)


@contextmanager
def running_nursery() -> Iterator[Nursery]:
    """Run a nursery, and end it with whatever it has started."""
    process = subprocess.Popen(
        (*VICTIM, "--nursery"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Life:
    """One run of the service, from its start to its end."""

    def __init__(self, pid: int, started: Mapping[str, object], dying: asyncio.Task[int]) -> None:
        self.pid = pid
        self.web = str(started["web"])
        self.channel = grpc.aio.insecure_channel(
            str(started["grpc"]), [("grpc.enable_http_proxy", 0)]
        )
        self.stub = CheckoutServiceStub(self.channel)
        self.dying = dying

    async def death(self, patience: float = PATIENCE) -> int:
        """Wait for the end, which is its own doing, and return the exit status."""
        return await asyncio.wait_for(asyncio.shield(self.dying), patience)

    async def end(self, number: int = signal.SIGKILL) -> int:
        """Send a signal unless it has ended, wait for the end and return the exit status."""
        if not self.dying.done():
            # It may have killed itself a moment ago, and the news of it be on its way.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        return await self.death()


class Lives:
    """Begins lives on one store with one set of settings."""

    def __init__(self, nursery: Nursery, folder: Path, settings: Mapping[str, str]) -> None:
        self._nursery = nursery
        self._environment = environment(
            folder, {"CHECKOUT_EXPIRY_SWEEP_INTERVAL": "100ms", **settings}
        )
        folder.mkdir(exist_ok=True)
        self._log = folder / "service.log"
        self._log.touch()
        migrate(self._environment["CHECKOUT_STORE_URL"])

    @asynccontextmanager
    async def life(self, kill_at: str = "", *, ahead: float = 0) -> AsyncIterator[Life]:
        """Start the service and wait until it answers; end it on leaving if it has not ended by itself."""
        life = await self.begin(kill_at, ahead=ahead)
        assert life, "it died before it answered"
        try:
            yield life
        finally:
            await life.end()
            await life.channel.close()

    async def begin(self, kill_at: str = "", *, ahead: float = 0) -> Life | None:
        """Start the service and wait until it answers; return nothing where it kills itself before that."""
        position = self._log.stat().st_size
        order = {"environment": self._environment, "log": str(self._log)}
        pid = await self._nursery.start(**order, kill_at=kill_at, ahead=ahead)
        dying = asyncio.create_task(self._nursery.death())
        try:
            async with asyncio.timeout(PATIENCE):
                while not (started := self._started(position)):
                    if dying.done():
                        assert await dying == -signal.SIGKILL, self._log.read_text("utf-8")[-5000:]
                        return None
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            # One that goes on living would keep the next from beginning.
            os.kill(pid, signal.SIGKILL)
            raise
        return Life(pid, started, dying)

    def _started(self, position: int) -> Mapping[str, object]:
        with self._log.open(encoding="utf-8") as log:
            log.seek(position)
            return next(iter(log_lines(log.read(), "service.started")), {})
