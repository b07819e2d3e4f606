"""What a process that makes calls is told and answers: one JSON object a line, both ways."""

import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]

Send = Callable[[Any], Awaitable[None]]


class Timing(NamedTuple):
    """How a round of calls went: its seconds, and those of each call in ascending order."""

    seconds: float
    latencies: list[float]


async def in_flight(calls: Iterable[Any], together: int, send: Send) -> Timing:
    """Make every call, a number of them at any time."""
    import asyncio  # noqa: PLC0415 - the process that measures needs no event loop

    waiting, latencies = iter(calls), list[float]()

    async def one_after_another() -> None:
        for call in waiting:
            started = time.perf_counter()
            await send(call)
            latencies.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(together)))
    return Timing(time.perf_counter() - started, sorted(latencies))


class Child:
    """A process of the benchmark, which says in its first line where it listens."""

    def __init__(self, program: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            program, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._process.pid
        self.address = self._line()

    def ask(self, **question: object) -> Any:  # noqa: ANN401 - any JSON
        """Tell the process what to do, and return what it answers when it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, f"{self._process.args!r} has ended"
        return line
