"""What the operating system says of a process, and what many figures come to."""

import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

_CPUCLOCK_SCHED = 2
_MIB = 1024


class Spread(NamedTuple):
    """The middle of some figures, and their extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Self:
        """Summarise figures, of which there is at least one."""
        known = list(figures)
        return cls(statistics.median(known), min(known), max(known))


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used, all of its threads together."""
    # The kernel's number of another process's clock; /proc counts the same time in steps of 10 ms.
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "VmRSS":
            return int(value.split()[0]) / _MIB
    raise AssertionError(f"process {pid} has no memory")


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the figure that a share of ordered figures does not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
