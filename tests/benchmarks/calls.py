"""The parts that measure calls on SQLite, the start, and memory."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks.bench import (
    ALONE,
    CREATES,
    GETS,
    SDK_CREATES,
    TOGETHER,
    Bench,
    Found,
)
from tests.benchmarks.measure import Spread, resident_mib
from tests.benchmarks.provider import OTHERS
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import Rounds, Subject, alternate
from tests.benchmarks.service import Service
from tests.benchmarks.worker import Child

_STARTS = 5
_SETTLED = 1.0
_PIECE = 10_000


class Start(NamedTuple):
    """What starting the service took: with its store to be made, and on each later start."""

    first: float
    later: Spread
    idle: Spread


def start(bench: Bench) -> Found:
    """Start the service several times, and look at it before anybody has called."""
    seconds, idle = [], []
    folder = bench.new_folder()
    for _ in range(1 + _STARTS):
        with bench.serving(folder) as started:
            seconds.append(started.seconds_to_serving)
            time.sleep(_SETTLED)
            idle.append(resident_mib(started.pid))
    return Found(
        bars=[
            Bar("start to SERVING", Spread.of(seconds[1:]), 1.5, " s"),
            Bar("memory, idle", Spread.of(idle[1:]), 100, " MiB"),
        ],
        notes=[f"The first start, which makes the store: {seconds[0]:.2f} s"],
    )


def create(bench: Bench) -> Found:
    """Measure creating at full load."""
    sdk = bench.sdk
    subjects = {
        "I": bench.subject("create", CREATES, bench.floor),
        "ours": bench.subject("create", CREATES, bench.ours),
        "S": Subject(sdk.pid, sdk, SDK_CREATES, {}),
    }
    found = alternate(subjects, bench.rounds, together=TOGETHER)
    ours = found["ours"]
    return Found(
        bars=[
            Bar("CreateSession, CPU against I", ours.cpu_against(found["I"]), 1.3),
            Bar("CreateSession, CPU against S", ours.cpu_against(found["S"]), 0.45),
        ],
        figures=[
            ("I: least durable create", found["I"]),
            ("S: the provider's package", found["S"]),
            ("CreateSession", ours),
        ],
    )


def get(bench: Bench) -> Found:
    """Measure reading at full load."""
    found = _against_floor(bench, "get", GETS, TOGETHER)
    ours, floor = found["ours"], found["floor"]
    return Found(
        bars=[Bar("GetSession, CPU against F", ours.cpu_against(floor), 1.3)],
        figures=[("F: bare read", floor), ("GetSession", ours)],
    )


def alone(bench: Bench) -> Found:
    """Measure one call at a time."""
    gets, made = (_against_floor(bench, kind, ALONE, 1) for kind in ("get", "create"))
    ours, floor = made["ours"], made["floor"]
    return Found(
        bars=[
            Bar("alone, p50 against I", ours.p50_against(floor), 1.3),
            Bar("alone, p99 against p50 of I", Spread.of([ours.p99_ms / floor.p50_ms.median]), 5),
        ],
        figures=[
            ("F, one at a time", gets["floor"]),
            ("GetSession, one at a time", gets["ours"]),
            ("I, one at a time", floor),
            ("CreateSession, one at a time", ours),
        ],
    )


def providers(bench: Bench) -> Found:
    """Measure creating at each provider, in a service that has an account at every one."""
    ours = bench.serve(every=True)
    subjects = {
        name: bench.subject("create", CREATES // 2, ours, provider=name)
        for name in ("dodo", *OTHERS)
    }
    found = alternate(subjects, bench.rounds, together=TOGETHER)
    return Found(
        bars=[*_by_provider(found)],
        figures=[(f"CreateSession at {name}", found[name]) for name in OTHERS],
    )


def memory(bench: Bench) -> Found:
    """Measure how much the service grows by over many calls, half of them reads."""
    ours, calls = bench.ours, bench.asked.calls
    before = resident_mib(ours.pid)
    for kind in _kinds(calls):
        ours.forget_log()
        bench.client.ask(kind=kind, address=ours.address, number=_PIECE, together=TOGETHER)
    growth = Spread.of([resident_mib(ours.pid) - before])
    return Found(bars=[Bar(f"memory, growth over {calls:,} calls", growth, 10, " MiB")])


def _against_floor(bench: Bench, kind: str, number: int, together: int) -> dict[str, Rounds]:
    processes: dict[str, Service | Child] = {"floor": bench.floor, "ours": bench.ours}
    subjects = {name: bench.subject(kind, number, one) for name, one in processes.items()}
    return alternate(subjects, bench.rounds, together=together)


def _by_provider(found: dict[str, Rounds]) -> Iterator[Bar]:
    for name in OTHERS:
        # SellApp makes an invoice and then its page: two calls, and a commit between them.
        limit = 1.6 if name == "sellapp" else 1.15
        measured = found[name].cpu_against(found["dodo"])
        yield Bar(f"CreateSession, {name} against dodo", measured, limit)


def _kinds(calls: int) -> Iterator[str]:
    for number in range(calls // _PIECE):
        yield "get" if number % 2 else "create"
