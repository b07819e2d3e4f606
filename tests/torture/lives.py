"""The lives of one service: each begins on the store that the one before has left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import grpc.aio

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.storage.location import names_server
from service.storage.migrate import migrate
from tests.e2e.process import environment, log_lines
from tests.torture.nursery import Nursery
from tests.torture.victim import LEASE

PATIENCE = 30.0
NOTHING: Mapping[str, str] = MappingProxyType({})
_LOOK_AGAIN = 0.005


class Life:
    """One run of the service, from its start to its end."""

    def __init__(self, pid: int, started: Mapping[str, object], dying: asyncio.Future[int]) -> None:
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

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        settings: Mapping[str, str],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.lease = lease
        self._nursery = nursery
        self._environment = environment(
            folder, {"CHECKOUT_EXPIRY_SWEEP_INTERVAL": "100ms", **settings}
        )
        folder.mkdir(exist_ok=True, parents=True)
        self._log = folder / "service.log"
        self._log.touch()
        url = self._environment["CHECKOUT_STORE_URL"]
        if not names_server(url):
            migrate(url)

    @asynccontextmanager
    async def life(
        self, kill_at: str = "", *, ahead: float = 0, settings: Mapping[str, str] = NOTHING
    ) -> AsyncIterator[Life]:
        """Start the service and wait until it answers; end it on leaving if it has not ended by itself."""
        life = await self.begin(kill_at, ahead=ahead, settings=settings)
        assert life, "it died before it answered"
        try:
            yield life
        finally:
            await life.end()
            await life.channel.close()

    async def begin(
        self, kill_at: str = "", *, ahead: float = 0, settings: Mapping[str, str] = NOTHING
    ) -> Life | None:
        """Start the service and wait until it answers; return nothing where it kills itself before that.

        `settings` are those of this life alone.
        """
        position = self._log.stat().st_size
        pid, death = await self._nursery.start(
            environment={**self._environment, **settings},
            log=str(self._log),
            kill_at=kill_at,
            ahead=ahead,
            lease=self.lease.total_seconds(),
        )
        dying = asyncio.wrap_future(death)
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
