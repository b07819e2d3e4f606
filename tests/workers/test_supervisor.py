"""Workers that are kept: real processes, which say what they are told to and do nothing else."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from service.config import read
from service.workers.failure import WorkersFailedError
from service.workers.figures import Figures
from service.workers.orders import Order
from service.workers.supervisor import Supervisor

PATIENCE = 30.0

SERVE = """
print('{"event":"serving"}', flush=True)
sys.stdin.buffer.read()
print('{"event":"stopping"}', flush=True)
"""
"""Serves until its supervisor lets it go."""

ONLY_ONCE = f"""
place = pathlib.Path(sys.argv[1], str(os.getppid()))
try:
    place.touch(exist_ok=False)
except FileExistsError:
    sys.exit(3)
{SERVE}
"""
"""Serves where no worker has served before it, and ends at once elsewhere."""


def program(script: str, *arguments: object) -> tuple[str, ...]:
    """Make a worker of a script."""
    start = "import os, pathlib, signal, sys\n"
    return (sys.executable, "-S", "-E", "-c", start + script, *map(str, arguments))


class Service:
    """A supervisor that runs on the test's loop, and what it has told."""

    def __init__(self, figures: Figures, lines: list[EventDict], **changes: object) -> None:
        self.stop = asyncio.Event()
        self.announced = 0
        self._lines = lines
        self._changed = asyncio.Event()
        settings = read(environ={}).settings
        given = {
            "workers": 2,
            "drain_limit": PATIENCE,
            "figures": figures,
            "order": lambda number: Order(number, os.getpid(), settings, 0, figures.folder),
            "announce": self._note,
            **changes,
        }
        self.running = asyncio.create_task(Supervisor(**given).run(self.stop))  # type: ignore[arg-type]

    def lines(self, event: str) -> list[EventDict]:
        """Return the log lines of an event."""
        return [line for line in self._lines if line["event"] == event]

    async def wait_for(self, event: str, times: int) -> list[EventDict]:
        """Wait until an event was logged so often."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.lines(event)) < times:
                await asyncio.sleep(0.01)
        return found

    async def end(self) -> int:
        """Tell it to stop and return its exit status."""
        self.stop.set()
        return await asyncio.wait_for(self.running, PATIENCE)

    def _note(self) -> None:
        self.announced += 1


@pytest.fixture
def lines() -> Iterator[list[EventDict]]:
    """What is logged."""
    with capture_logs() as logged:
        yield logged


@pytest.fixture
def figures() -> Iterator[Figures]:
    """Provide the folder of two workers."""
    figures = Figures.prepare(2)
    yield figures
    figures.remove()


def is_there(pid: int) -> bool:
    """Tell whether a process has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_serve_and_all_stop(figures: Figures, lines: list[EventDict]) -> None:
    """The service is announced once, when every worker serves, and ends when all have ended well."""
    service = Service(figures, lines, program=program(SERVE))
    started = await service.wait_for("worker.started", 2)
    assert {line["worker"] for line in started} == {1, 2}
    assert service.announced == 1
    assert await service.end() == 0
    assert [line["event"] for line in lines][2:] == ["service.stopping"]
    assert not any(is_there(line["pid"]) for line in started)


async def test_a_dead_worker_is_replaced(figures: Figures, lines: list[EventDict]) -> None:
    """The one that takes its place has its number, and nothing is announced again."""
    service = Service(figures, lines, program=program(SERVE))
    first = (await service.wait_for("worker.started", 2))[0]
    os.kill(first["pid"], signal.SIGKILL)
    again = (await service.wait_for("worker.started", 3))[2]
    assert (again["worker"], again["pid"] != first["pid"]) == (first["worker"], True)
    (ended,) = service.lines("worker.ended")
    assert ended["reason"] == "it was ended by SIGKILL"
    assert (ended["worker"], ended["pid"], ended["pause"]) == (first["worker"], first["pid"], 0)
    assert service.announced == 1
    assert await service.end() == 0


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("""print('{"event":"failed","reason":"no database"}'); sys.exit(1)""", "no database"),
        ("sys.exit(7)", "it ended with status 7"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "it was ended by SIGKILL"),
    ],
)
async def test_workers_that_cannot_start(
    figures: Figures, lines: list[EventDict], script: str, reason: str
) -> None:
    """What a worker says of its start, or how it ended, is the reason that is given, and no other stays."""
    service = Service(figures, lines, program=program(script))
    with pytest.raises(WorkersFailedError, match=reason):
        await asyncio.wait_for(service.running, PATIENCE)
    assert (service.announced, lines) == (0, [])


async def test_a_worker_that_never_serves(figures: Figures, lines: list[EventDict]) -> None:
    """One that hangs at its start is ended, and said to have been."""
    script = "import time; time.sleep(600)"
    service = Service(figures, lines, program=program(script), start_limit=0.1)
    with pytest.raises(WorkersFailedError, match=r"did not serve within 0\.1 s"):
        await asyncio.wait_for(service.running, PATIENCE)


async def test_nobody_left(figures: Figures, lines: list[EventDict], tmp_path: Path) -> None:
    """When the last worker has died and none starts again for a while, the service ends with the reason."""
    service = Service(
        figures, lines, program=program(ONLY_ONCE, tmp_path), workers=1, absence_limit=0.2
    )
    (started,) = await service.wait_for("worker.started", 1)
    os.kill(started["pid"], signal.SIGKILL)
    with pytest.raises(
        WorkersFailedError, match="no worker serves any more: it ended with status 3"
    ):
        await asyncio.wait_for(service.running, PATIENCE)
    assert service.lines("worker.ended")[0]["reason"] == "it was ended by SIGKILL"


async def test_a_worker_that_does_not_stop(figures: Figures, lines: list[EventDict]) -> None:
    """One that does not end in time is ended, and the exit status shows it."""
    script = """print('{"event":"serving"}', flush=True); signal.pause()"""
    service = Service(figures, lines, program=program(script), drain_limit=0.1)
    started = await service.wait_for("worker.started", 2)
    assert await service.end() == 1
    assert len(service.lines("worker.killed")) == 2
    assert not any(is_there(line["pid"]) for line in started)


async def test_one_that_cannot_start_beside_one_that_serves(
    figures: Figures, lines: list[EventDict], tmp_path: Path
) -> None:
    """A service that never was whole ends with the reason, whichever worker was the first."""
    service = Service(figures, lines, program=program(ONLY_ONCE, tmp_path))
    with pytest.raises(WorkersFailedError, match=r"worker \d cannot start: it ended with status 3"):
        await asyncio.wait_for(service.running, PATIENCE)
    assert service.announced == 0


async def test_a_process_that_cannot_be_started_ends_no_other(
    figures: Figures, lines: list[EventDict], tmp_path: Path
) -> None:
    """Where the system refuses another process, the others serve on and the worker is tried again."""
    interpreter = tmp_path / "python"
    interpreter.symlink_to(sys.executable)
    service = Service(figures, lines, program=(str(interpreter), *program(SERVE)[1:]))
    first = (await service.wait_for("worker.started", 2))[0]
    interpreter.unlink()
    os.kill(first["pid"], signal.SIGKILL)
    refused = (await service.wait_for("worker.ended", 2))[1]
    assert (refused["worker"], refused["pid"]) == (first["worker"], None)
    assert refused["reason"].startswith("no process can be started: ")
    interpreter.symlink_to(sys.executable)
    await service.wait_for("worker.started", 3)
    assert await service.end() == 0


async def test_a_lost_folder_ends_no_service(figures: Figures, lines: list[EventDict]) -> None:
    """Whoever tidies up temporary files costs figures, and neither a worker nor the one that takes its place."""
    service = Service(figures, lines, program=program(SERVE))
    first = (await service.wait_for("worker.started", 2))[0]
    figures.remove()
    os.kill(first["pid"], signal.SIGKILL)
    again = (await service.wait_for("worker.started", 3))[2]
    assert (figures.folder / f"{again['worker']}.pid").read_text() == str(again["pid"])
    assert await service.end() == 0


async def test_a_worker_that_hangs_is_replaced(figures: Figures, lines: list[EventDict]) -> None:
    """One that serves and then says nothing for long is ended, and another one takes its place."""
    service = Service(figures, lines, program=program(SERVE), workers=1, silence_limit=1.0)
    (hung,) = await service.wait_for("worker.started", 1)
    again = (await service.wait_for("worker.started", 2))[1]
    ended = service.lines("worker.ended")[0]
    assert (ended["pid"], ended["reason"]) == (hung["pid"], "it said nothing for 1 s")
    assert (again["worker"], again["pid"] != hung["pid"]) == (hung["worker"], True)
    await service.end()


async def test_a_stop_before_the_start_is_no_failure(
    figures: Figures, lines: list[EventDict]
) -> None:
    """Workers that were told to stop before they had begun end the service well."""
    settings = read(environ={}).settings

    def order(number: int) -> Order:
        service.stop.set()
        return Order(number, os.getpid(), settings, 0, figures.folder)

    service = Service(figures, lines, program=program(SERVE), order=order)
    assert await asyncio.wait_for(service.running, PATIENCE) == 0
    assert not lines
