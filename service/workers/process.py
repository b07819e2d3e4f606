"""A worker as its supervisor sees it: a process that says how far it is, and ends."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from service.config.environment import inherited
from service.workers.figures import FOLDER_VARIABLE
from service.workers.orders import Order, reported

PROGRAM = (sys.executable, "-P", "-m", "service.workers.worker")


class Worker:
    """A process that was given an order. It stops when it is let go, or when this process ends."""

    def __init__(self, number: int, process: Process) -> None:
        self.number = number
        self.pid = process.pid
        self.has_served = False
        self.quiet = asyncio.Event()
        self.reason = ""
        self._spoke = False
        self._process = process

    @classmethod
    async def begin(cls, order: Order, program: Sequence[str] = PROGRAM) -> Self:
        """Start a process and give it its order."""
        # Never forked: gRPC does not survive that, and a fresh process inherits nothing by chance.
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(order.web,),
            env=inherited(**{FOLDER_VARIABLE: str(order.figures)}),
            # A terminal's Ctrl-C is for the supervisor, which ends its workers in order.
            process_group=0,
        )
        assert process.stdin is not None  # noqa: S101 - asked for above
        process.stdin.write(order.written())
        return cls(order.number, process)

    async def follow(self, served: Callable[[], None]) -> int:
        """Note what it says until it ends, and return its exit status, less than 0 for a signal.

        `served` is called once it serves.
        """
        assert self._process.stdout is not None  # noqa: S101 - asked for at its start
        async for line in self._process.stdout:
            report = reported(line)
            self._spoke = True
            match report.event if report else "":
                case "serving":
                    self.has_served = True
                    served()
                case "stopping":
                    self.quiet.set()
                case "failed" if report:
                    self.reason = report.reason
        status = await self._process.wait()
        self.reason = self.reason or _named(status)
        self.quiet.set()
        return status

    def has_spoken(self) -> bool:
        """Tell whether it has said anything since this was last asked."""
        spoke, self._spoke = self._spoke, False
        return spoke

    def let_go(self) -> None:
        """Have it turn calls away, finish what it has, and end."""
        assert self._process.stdin is not None  # noqa: S101 - asked for at its start
        self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()


def _named(status: int) -> str:
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return f"it ended with status {status}"
