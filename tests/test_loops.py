"""Work beside calls: it outlives its own faults, and nothing else."""

import asyncio

import pytest
from structlog.testing import capture_logs

from service.loops import PAUSE, keep_up
from tests.core.conftest import ManualClock


async def test_a_fault_ends_no_work() -> None:
    """What failed is noted with its place and without its text, and begins anew after a pause."""
    clock, times = ManualClock(), 0
    began = clock.time

    async def work() -> None:
        nonlocal times
        times += 1
        if times < 3:
            raise ValueError("canary")

    with capture_logs() as lines:
        await keep_up(work, clock)
    assert (times, clock.time - began) == (3, 2 * PAUSE)
    assert [(line["event"], line["log_level"], line["error"]) for line in lines] == [
        ("background.failed", "error", "ValueError")
    ] * 2
    assert "canary" not in str(lines)


async def test_the_end_is_the_end() -> None:
    """Work that is cancelled, as all is when the service stops, does not begin anew."""
    work = asyncio.create_task(keep_up(asyncio.Event().wait, ManualClock()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
