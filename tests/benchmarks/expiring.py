"""The part that measures how fast sessions expire, and what readers notice of it."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from service.storage.copy import copy_store
from service.storage.migrate import migrate
from service.storage.rows import microseconds
from tests.benchmarks.bench import Bench, Found
from tests.benchmarks.filling import fill
from tests.benchmarks.measure import Spread, percentile
from tests.benchmarks.report import Bar
from tests.benchmarks.service import Service

_PIECE = 100
_QUIET = 2000
_LONGEST = 300.0
_DUE = "SELECT EXISTS (SELECT 1 FROM sessions WHERE due_time <= {})"


def expiry(bench: Bench) -> Found:
    """Start services on stores full of sessions whose time has run out."""
    number = bench.asked.due
    file = bench.new_folder() / "checkout.db"
    migrate(f"sqlite:///{file}")
    past = datetime.now(UTC) - timedelta(minutes=1)
    fill(file, bench.template.due(past), range(number))
    url = bench.new_database()
    copy_store(f"sqlite:///{file}", url)
    bars: list[Bar] = []
    now = microseconds(datetime.now(UTC))
    looks: dict[str, tuple[Path, str, Callable[[], bool]]] = {
        "SQLite": (file.parent, "", lambda: _in_file(file, now)),
        "PostgreSQL": (bench.new_folder(), url, lambda: _in_database(url, now)),
    }
    for name, (folder, store, is_due) in looks.items():
        with bench.serving(folder, store) as started:
            bars += _expired(bench, started, name, is_due)
    return Found(bars=bars)


def _expired(bench: Bench, started: Service, name: str, is_due: Callable[[], bool]) -> list[Bar]:
    number = bench.asked.due
    ids = bench.new_folder() / "ids"
    ids.write_text("\n".join(map(bench.template.session_id, range(0, number, 10))), "ascii")
    reads = {"kind": "get", "address": started.address, "ids": str(ids), "together": 1}
    began = time.perf_counter() - started.seconds_to_serving
    during: list[float] = []
    while is_due():
        during += bench.client.ask(number=_PIECE, **reads)["latencies"]
        assert time.perf_counter() - began < _LONGEST, "the sessions do not expire"
    seconds = time.perf_counter() - began
    quiet = bench.client.ask(number=_QUIET, **reads)["latencies"]
    slower = percentile(sorted(during), 0.99) / percentile(sorted(quiet), 0.99)
    return [
        Bar(f"{name}: expiring {number:,} sessions", Spread.of([seconds]), 30, " s"),
        Bar(f"{name}: GetSession meanwhile, p99 against p99 after", Spread.of([slower]), 2),
    ]


def _in_file(file: Path, now: int) -> bool:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return bool(database.execute(_DUE.format("?"), (now,)).fetchone()[0])


def _in_database(url: str, now: int) -> bool:
    async def look() -> bool:
        connection = await asyncpg.connect(url)
        try:
            return bool(await connection.fetchval(_DUE.format("$1"), now))
        finally:
            await connection.close()

    return asyncio.run(look())
