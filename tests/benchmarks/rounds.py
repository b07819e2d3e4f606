"""Rounds of calls against several subjects in turn, so that all of them meet the same moments."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from tests.benchmarks.measure import Spread, cpu_seconds, percentile
from tests.benchmarks.worker import Child

MICRO, MILLI = 1e6, 1e3


class Subject(NamedTuple):
    """Who is measured: the process that works, the one that asks, what to ask it, and who works beside."""

    pid: int
    client: Child
    number: int
    question: Mapping[str, object]
    beside: Callable[[], Sequence[int]] = tuple


class Round(NamedTuple):
    """One round's processor time and rate, and the seconds of each call in ascending order."""

    cpu_us: float
    per_second: float
    latencies: Sequence[float]

    @property
    def p50_ms(self) -> float:
        """The time half of the calls did not exceed."""
        return percentile(self.latencies, 0.5) * MILLI


class Rounds(NamedTuple):
    """All rounds of one subject."""

    rounds: Sequence[Round]

    @property
    def cpu_us(self) -> Spread:
        """Processor time of a call."""
        return Spread.of(one.cpu_us for one in self.rounds)

    @property
    def per_second(self) -> Spread:
        """Calls a second."""
        return Spread.of(one.per_second for one in self.rounds)

    @property
    def p50_ms(self) -> Spread:
        """The median time of a call, by round."""
        return Spread.of(one.p50_ms for one in self.rounds)

    @property
    def p99_ms(self) -> float:
        """The time that 99 of 100 calls of all rounds did not exceed."""
        every = sorted(chain.from_iterable(one.latencies for one in self.rounds))
        return percentile(every, 0.99) * MILLI

    def cpu_against(self, other: "Rounds") -> Spread:
        """Compare processor time round by round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return Spread.of(mine.cpu_us / theirs.cpu_us for mine, theirs in pairs)

    def p50_against(self, other: "Rounds") -> Spread:
        """Compare median times round by round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return Spread.of(mine.p50_ms / theirs.p50_ms for mine, theirs in pairs)


def alternate(subjects: Mapping[str, Subject], rounds: int, *, together: int) -> dict[str, Rounds]:
    """Measure every subject in every round, after one round that warms up."""
    done: dict[str, list[Round]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            measured = one_round(subject, together)
            if number:
                done[name].append(measured)
    return {name: Rounds(found) for name, found in done.items()}


def one_round(subject: Subject, together: int) -> Round:
    """Make the calls of one round."""
    before = _cpu_seconds(subject)
    timing = subject.client.ask(number=subject.number, together=together, **subject.question)
    # Processes that began meanwhile began with nothing; the few that ended take their time along.
    spent = sum(used - before.get(pid, 0.0) for pid, used in _cpu_seconds(subject).items())
    return Round(
        cpu_us=spent / subject.number * MICRO,
        per_second=subject.number / timing["seconds"],
        latencies=timing["latencies"],
    )


def _cpu_seconds(subject: Subject) -> dict[int, float]:
    used = {}
    for pid in (subject.pid, *subject.beside()):
        with suppress(OSError):
            used[pid] = cpu_seconds(pid)
    return used
