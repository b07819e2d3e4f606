"""Measures the service against its yardsticks and prints which bars it meets: `make bench`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import calls
from tests.benchmarks.bench import Asked, Bench, Found
from tests.benchmarks.expiring import expiry
from tests.benchmarks.on_postgres import postgres
from tests.benchmarks.report import bars, figures
from tests.benchmarks.sizes import sizes
from tests.benchmarks.stored import stored
from tests.benchmarks.watching import watchers
from tests.benchmarks.webhooks import webhooks
from tests.benchmarks.workers import workers

PARTS: Mapping[str, Callable[[Bench], Found]] = {
    "start": calls.start,
    "get": calls.get,
    "create": calls.create,
    "alone": calls.alone,
    "providers": calls.providers,
    "postgres": postgres,
    "stored": stored,
    "expiry": expiry,
    "webhooks": webhooks,
    "watchers": watchers,
    "workers": workers,
    "memory": calls.memory,
    "sizes": sizes,
}
"""The parts by their names."""

USUAL = [name for name in PARTS if name != "sizes"]
"""The parts that run where nobody says which."""


def measure(asked: Asked, parts: Sequence[str]) -> Found:
    """Run some parts, each in an order of its own."""
    with ExitStack() as running:
        folder = Path(running.enter_context(TemporaryDirectory(prefix="bench")))
        bench = Bench(folder=folder, asked=asked, running=running)
        found = []
        for part in parts:
            sys.stderr.write(f"{part} …\n")
            found.append(PARTS[part](bench))
    return Found(
        bars=[bar for one in found for bar in one.bars],
        figures=[figure for one in found for figure in one.figures],
        notes=[note for one in found for note in one.notes],
    )


def main() -> int:
    """Print the tables; the exit status tells whether every bar is met."""
    asked, parts = _asked()
    found = measure(asked, parts)
    tables = [figures(found.figures)] if found.figures else []
    sys.stdout.write(
        "\n\n".join([*tables, *([bars(found.bars)] if found.bars else []), *found.notes]) + "\n"
    )
    return 0 if all(bar.is_met for bar in found.bars) else 1


def _asked() -> tuple[Asked, Sequence[str]]:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, argument_default=argparse.SUPPRESS
    )
    add = parser.add_argument
    add("--only", type=_parts, help=f"parts to run, of {','.join(PARTS)}")
    add("--rounds", type=int, help="rounds of each comparison")
    add("--calls", type=int, help="calls that memory may grow over")
    add("--sizes", type=_numbers, help="numbers of stored sessions")
    add("--due", type=int, help="sessions that expire at once")
    add("--watchers", type=int, help="streams that watch")
    add("--weighed", type=int, help="sessions whose size is measured")
    add("--plot", type=Path, help="where to draw cost against stored sessions")
    add("--sdk", type=Path, required=True, help="Python with dodopayments installed")
    chosen = vars(parser.parse_args())
    parts = chosen.pop("only", USUAL)
    return Asked(**chosen), parts


def _parts(text: str) -> Sequence[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part is called {', '.join(unknown)}")
    return [name for name in PARTS if name in names]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",")))


if __name__ == "__main__":
    sys.exit(main())
