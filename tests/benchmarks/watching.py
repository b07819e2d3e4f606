"""The part that measures a thousand streams that are told of every change."""

from collections.abc import Iterator

from tests.benchmarks.bench import Bench, Found
from tests.benchmarks.measure import Spread
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import MILLI
from tests.benchmarks.watchers import Watched, measure

_LATEST_MS = 250
_LARGEST_KIB = 100


def watchers(bench: Bench) -> Found:
    """Open many streams on each kind of store, and change sessions at a steady rate."""
    bars: list[Bar] = []
    notes: list[str] = []
    for store, url in (("SQLite", ""), ("PostgreSQL", bench.new_database())):
        with bench.serving(bench.new_folder(), url) as started:
            found = measure(started.address, started.pid, streams=bench.asked.watchers)
        bars += _bars(f"{store}, {bench.asked.watchers:,} watchers", found)
        notes.append(
            f"{store}: {found.delivered:,} changes told, of {found.expected:,}, half of them within "
            f"{found.p50_seconds * MILLI:.0f} ms, by {found.server_cpu:.2f} processors"
        )
    return Found(bars=bars, notes=notes)


def _bars(name: str, found: Watched) -> Iterator[Bar]:
    yield Bar(
        f"{name}: change to client, p99",
        Spread.of([found.p99_seconds * MILLI]),
        _LATEST_MS,
        " ms",
    )
    yield Bar(f"{name}: memory of a stream", Spread.of([found.kib_a_stream]), _LARGEST_KIB, " KiB")
