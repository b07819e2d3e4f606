"""A process that starts services for whoever asks, as many at a time as are wanted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

Promised = TypeVar("Promised")

VICTIM = (sys.executable, "-m", "tests.torture.victim")


class Born(NamedTuple):
    """A service that was started, and its exit status to come, negative for a signal."""

    pid: int
    death: Future[int]


class Nursery:
    """What is told to the process, and what it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._births: deque[Future[Born]] = deque()
        self._deaths: dict[int, Future[int]] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    async def start(self, **order: object) -> Born:
        """Start a service."""
        assert self._process.stdin
        birth = _promise(Future[Born]())
        self._births.append(birth)
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return await asyncio.wrap_future(birth)

    def end(self) -> None:
        """End the process with whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._listener.join()

    def _listen(self) -> None:
        assert self._process.stdout
        for said in self._process.stdout:
            word, pid, *status = said.split()
            if word == "born":
                death = self._deaths[int(pid)] = _promise(Future[int]())
                self._births.popleft().set_result(Born(int(pid), death))
            else:
                self._deaths.pop(int(pid)).set_result(int(status[0]))
        ended = EOFError("the nursery has ended")
        for birth in self._births:
            birth.set_exception(ended)
        for death in self._deaths.values():
            death.set_exception(ended)


def _promise(future: Future[Promised]) -> Future[Promised]:
    # Whoever stops waiting must not cancel it for the thread that keeps it.
    future.set_running_or_notify_cancel()
    return future


@contextmanager
def running_nursery() -> Iterator[Nursery]:
    """Run a nursery, and end it with whatever it has started."""
    with subprocess.Popen(
        (*VICTIM, "--nursery"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        nursery = Nursery(process)
        try:
            yield nursery
        finally:
            nursery.end()
