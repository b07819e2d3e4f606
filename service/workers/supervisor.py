"""Keeps several workers serving: starts them, starts those again that die, and lets all of them go at the end."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from service.workers.failure import WorkersFailedError
from service.workers.figures import Figures
from service.workers.orders import Order
from service.workers.patience import Patience
from service.workers.process import PROGRAM, Worker

START_LIMIT = 120.0
"""Seconds in which a worker must serve."""

ABSENCE_LIMIT = 60.0
"""Seconds after the end of the last worker in which one must serve again."""

SILENCE_LIMIT = 60.0
"""Seconds for which a worker that serves may say nothing."""

_LOOKS = 10


class Ended(NamedTuple):
    """How a worker ended; without a process id there has been none."""

    number: int
    status: int
    reason: str
    pid: int | None = None
    has_served: bool = False


class Supervisor:
    """The workers of one service; `order` tells what each is to do, `announce` that all of them serve."""

    def __init__(
        self,
        *,
        workers: int,
        drain_limit: float,
        figures: Figures,
        order: Callable[[int], Order],
        announce: Callable[[], None],
        program: Sequence[str] = PROGRAM,
        start_limit: float = START_LIMIT,
        absence_limit: float = ABSENCE_LIMIT,
        silence_limit: float = SILENCE_LIMIT,
    ) -> None:
        self._numbers = range(1, workers + 1)
        self._drain_limit = drain_limit
        self._figures = figures
        self._order = order
        self._announce = announce
        self._program = program
        self._start_limit = start_limit
        self._absence_limit = absence_limit
        self._silence_limit = silence_limit
        self._workers: dict[int, Worker] = {}
        self._has_started = False
        self._served_at = 0.0
        self._log = structlog.get_logger()

    async def run(self, stop: asyncio.Event) -> int:
        """Keep every worker serving until told to stop, and return the exit status.

        Raises WorkersFailedError where they do not start, or none serves any more.
        """
        keeping = [asyncio.create_task(self._keep(number, stop)) for number in self._numbers]
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([*keeping, waiting], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await self._drain(keeping)
        statuses = await asyncio.gather(*keeping, waiting)
        return int(any(statuses[:-1]))

    async def _keep(self, number: int, stop: asyncio.Event) -> int:
        loop, patience, status = asyncio.get_running_loop(), Patience(), 0
        while not stop.is_set():
            began = loop.time()
            ended = await self._live(number, stop)
            status = ended.status
            if stop.is_set():
                break
            self._mourn(ended)
            pause = patience.pause(loop.time() - began)
            fields = {"worker": number, "pid": ended.pid, "reason": ended.reason}
            self._log.warning("worker.ended", **fields, pause=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        return status

    async def _live(self, number: int, stop: asyncio.Event) -> Ended:
        try:
            worker = await Worker.begin(self._order(number), self._program)
        except OSError as error:
            # Too many processes, or no memory for one more: the others serve on.
            return Ended(number, 1, f"no process can be started: {error.strerror or error}")
        if stop.is_set():
            # It has done nothing yet.
            worker.kill()
            await self._follow(worker)
            return Ended(number, 0, worker.reason, worker.pid)
        status = await self._follow(worker)
        return Ended(number, status, worker.reason, worker.pid, worker.has_served)

    async def _follow(self, worker: Worker) -> int:
        self._workers[worker.number] = worker
        self._figures.begin(worker.number, worker.pid)
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._start_limit, self._give_up, worker)
        listening = loop.create_task(self._listen(worker))
        try:
            return await worker.follow(lambda: self._welcome(worker))
        finally:
            late.cancel()
            listening.cancel()
            del self._workers[worker.number]
            self._figures.end(worker.number)

    def _welcome(self, worker: Worker) -> None:
        self._log.info("worker.started", worker=worker.number, pid=worker.pid)
        if not self._has_started and len(self._serving()) == len(self._numbers):
            self._has_started = True
            self._announce()

    def _give_up(self, worker: Worker) -> None:
        if not worker.has_served:
            worker.reason = f"it did not serve within {self._start_limit:g} s"
            worker.kill()

    async def _listen(self, worker: Worker) -> None:
        silent = 0
        while silent < _LOOKS:
            # Counted, not measured: nobody is silent for the time in which nobody runs, as on a machine that sleeps.
            await asyncio.sleep(self._silence_limit / _LOOKS)
            silent = 0 if worker.has_spoken() or not worker.has_served else silent + 1
        worker.reason = f"it said nothing for {self._silence_limit:g} s"
        worker.kill()

    def _mourn(self, ended: Ended) -> None:
        now = asyncio.get_running_loop().time()
        if not (self._has_started or ended.has_served):
            raise WorkersFailedError(f"worker {ended.number} cannot start: {ended.reason}")
        if ended.has_served or self._serving():
            self._served_at = now
        elif now - self._served_at > self._absence_limit:
            raise WorkersFailedError(f"no worker serves any more: {ended.reason}")

    def _serving(self) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.has_served]

    async def _drain(self, keeping: Collection[asyncio.Task[int]]) -> None:
        for worker in self._workers.values():
            worker.let_go()
        limit = asyncio.get_running_loop().call_later(self._drain_limit, self._kill)
        await asyncio.gather(*(worker.quiet.wait() for worker in self._workers.values()))
        if self._has_started:
            self._log.info("service.stopping")
        await asyncio.wait(keeping)
        limit.cancel()

    def _kill(self) -> None:
        for worker in self._workers.values():
            self._log.warning("worker.killed", worker=worker.number, pid=worker.pid)
            worker.kill()
