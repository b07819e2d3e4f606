"""The part that measures what calls cost in stores of many sizes."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from service.storage.copy import copy_store
from service.storage.migrate import migrate
from tests.benchmarks.bench import TOGETHER, Bench, Found
from tests.benchmarks.filling import fill
from tests.benchmarks.plot import Line, drawn
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import Rounds, Subject, alternate

_ROUNDS = 3
_NUMBER = 1000
_SAMPLE = 5000
_KINDS = {"create": "CreateSession", "get": "GetSession"}
_STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
_LIMIT = 1.1


class Measured(NamedTuple):
    """What one kind of call came to at one size, in the empty store and in the full one."""

    empty: Rounds
    full: Rounds


Curve = Mapping[int, Measured]


def stored(bench: Bench) -> Found:
    """Measure creating and reading in ever larger stores of both kinds, against empty ones."""
    curves: dict[tuple[str, str], dict[int, Measured]] = {
        (store, kind): {} for store in _STORES for kind in _KINDS
    }
    with ExitStack() as running:
        sqlite = running.enter_context(bench.serving(bench.new_folder()))
        postgres = running.enter_context(bench.serving(bench.new_folder(), bench.new_database()))
        empty = {"sqlite": sqlite, "postgres": postgres}
        for size, file, sample in _files(bench):
            url = bench.new_database()
            copy_store(f"sqlite:///{file}", url)
            with (
                bench.serving(file.parent) as on_file,
                bench.serving(bench.new_folder(), url) as on_server,
            ):
                full = {"sqlite": on_file, "postgres": on_server}
                for (store, kind), curve in curves.items():
                    reads = {"ids": str(sample)} if kind == "get" else {}
                    subjects = {
                        "empty": bench.subject(kind, _NUMBER, empty[store]),
                        "full": bench.subject(kind, _NUMBER, full[store], **reads),
                    }
                    if store == "postgres":
                        subjects = {name: _with(one, bench) for name, one in subjects.items()}
                    found = alternate(subjects, _ROUNDS, together=TOGETHER)
                    curve[size] = Measured(found["empty"], found["full"])
    if bench.asked.plot:
        bench.asked.plot.write_text(drawn([*_lines(curves)]), "utf-8")
    return Found(bars=[*_bars(curves)], figures=[*_figures(curves)])


def _with(subject: Subject, bench: Bench) -> Subject:
    return subject._replace(beside=bench.database.processes)


def _files(bench: Bench) -> Iterator[tuple[int, Path, Path]]:
    """Yield each size with a store of it that nobody uses, and a file of ids that are in it."""
    whole = bench.new_folder() / "checkout.db"
    migrate(f"sqlite:///{whole}")
    filled = 0
    for size in bench.asked.sizes:
        fill(whole, bench.template, range(filled, size))
        filled = size
        file = bench.new_folder() / "checkout.db"
        shutil.copy(whole, file)
        sample = file.with_name("ids")
        step = max(1, size // _SAMPLE)
        ids = [bench.template.session_id(number) for number in range(0, size, step)]
        sample.write_text("\n".join(ids), "ascii")
        yield size, file, sample
        file.unlink()


def _bars(curves: Mapping[tuple[str, str], Curve]) -> Iterator[Bar]:
    for (store, kind), curve in curves.items():
        size = max(curve)
        name = f"{_STORES[store]}: {_KINDS[kind]} with {size:,} sessions against none"
        empty, full = curve[size]
        yield Bar(name, full.cpu_against(empty), _LIMIT)


def _figures(curves: Mapping[tuple[str, str], Curve]) -> Iterator[tuple[str, Rounds]]:
    for (store, kind), curve in curves.items():
        name = f"{_STORES[store]}: {_KINDS[kind]}"
        yield f"{name}, none stored", curve[min(curve)].empty
        for size, (_, full) in curve.items():
            yield f"{name}, {size:,} stored", full


def _lines(curves: Mapping[tuple[str, str], Curve]) -> Iterator[Line]:
    for (store, kind), curve in curves.items():
        nothing = min(one.empty.cpu_us.median for one in curve.values())
        points = {0: nothing} | {size: full.cpu_us.median for size, (_, full) in curve.items()}
        yield Line(f"{_KINDS[kind]}, {_STORES[store]}", points)
