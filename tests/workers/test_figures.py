"""The metrics of several workers, counted together."""

import ast
import os
from collections.abc import Iterator

import pytest
from prometheus_client import Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from service.workers.figures import FOLDER_VARIABLE, SUPERVISOR, Figures, SharedRegistry, leave
from tests.architecture.source import ROOT

MODE = "multiprocess_mode"

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Figures]:
    """Provide the folder of two workers, which this process plays."""
    figures = Figures.prepare(2)
    monkeypatch.setenv(FOLDER_VARIABLE, str(figures.folder))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    yield figures
    values.close_all_multiprocess_files()  # type: ignore[no-untyped-call]
    figures.remove()


class Worker:
    """The metrics of one worker."""

    def __init__(self, figures: Figures, number: int) -> None:
        figures.begin(number, os.getpid())
        self.registry = SharedRegistry(figures.folder, number)
        self.calls = Counter("calls", "Calls.", ("method",), registry=self.registry)
        self.seconds = Histogram("seconds", "Seconds.", registry=self.registry, buckets=(1, 2))
        self.running = Gauge(
            "running", "Running.", registry=self.registry, multiprocess_mode="livesum"
        )
        self.state = Gauge("state", "State.", registry=self.registry, multiprocess_mode="livemax")

    def count(self, number: int) -> None:
        """Count calls of half a second that are still running."""
        for _ in range(number):
            self.calls.labels("get").inc()
            self.seconds.observe(0.5)
            self.running.inc()

    def shown(self) -> Found:
        """Return what a scraper reads at this worker."""
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


def value(found: Found, name: str, **labels: str) -> float | None:
    """Return one value."""
    return found.get((name, frozenset(labels.items())))


def test_every_worker_shows_all(figures: Figures) -> None:
    """Counters, histograms and running calls add up; of states the worst is shown."""
    first, second = Worker(figures, 1), Worker(figures, 2)
    first.count(2)
    second.count(3)
    first.state.set(2)
    second.state.set(1)
    for found in (first.shown(), second.shown()):
        assert value(found, "calls_total", method="get") == 5
        assert value(found, "seconds_count") == 5
        assert value(found, "seconds_sum") == 2.5
        assert value(found, "seconds_bucket", le="1.0") == 5
        assert value(found, "running") == 5
        assert value(found, "state") == 2
    text = openmetrics(first.registry)  # type: ignore[no-untyped-call]
    assert b'calls_total{method="get"} 5.0' in text


def test_a_dead_worker_has_counted(figures: Figures) -> None:
    """What a worker has counted outlives it and is counted on; what was true of it is not."""
    first, second = Worker(figures, 1), Worker(figures, 2)
    first.count(2)
    second.count(3)
    second.state.set(2)
    figures.end(2)
    found = first.shown()
    assert value(found, "calls_total", method="get") == 5
    assert value(found, "seconds_count") == 5
    assert value(found, "running") == 2
    assert value(found, "state") == 0
    Worker(figures, 2).count(1)
    found = first.shown()
    assert value(found, "calls_total", method="get") == 6
    assert value(found, "seconds_count") == 6
    assert value(found, "running") == 3


def test_each_process_is_shown(figures: Figures) -> None:
    """Memory and processor time stand by worker, and the supervisor's beside them."""
    first = Worker(figures, 1)
    figures.begin(2, os.getppid())
    figures.begin(SUPERVISOR, os.getpid())
    name = "process_resident_memory_bytes"
    found = first.shown()
    assert value(found, name, worker="1")
    assert value(found, name, worker="2")
    assert value(found, name, worker=SUPERVISOR)
    figures.end(2)
    assert value(first.shown(), name, worker="2") is None


def test_room_is_taken_at_the_start(figures: Figures) -> None:
    """A disk that fills up later does not end a worker: its files hold what they need from the beginning."""
    Worker(figures, 1).count(1)
    sizes = [file.stat().st_size for file in figures.folder.glob("*.db")]
    assert sizes == [1 << 20] * 8


def test_the_last_one_leaves_nothing(figures: Figures) -> None:
    """Workers whose supervisor died remove their files, and the last one the folder."""
    figures.begin(SUPERVISOR, 1)
    Worker(figures, 1).count(1)
    Worker(figures, 2).count(1)
    leave(figures.folder, 2)
    assert (figures.folder / "counter_1.db").exists()
    assert not list(figures.folder.glob("*_2.db"))
    leave(figures.folder, 1)
    assert not figures.folder.exists()


def test_every_gauge_says_how_it_adds_up() -> None:
    """Without a mode of those that are kept, a gauge would be shown for each worker, the dead included."""
    texts = [path.read_text("utf-8") for path in (ROOT / "service").rglob("*.py")]
    modes = [
        next((ast.literal_eval(word.value) for word in call.keywords if word.arg == MODE), "none")
        for text in texts
        if "Gauge(" in text
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Gauge"
    ]
    assert modes
    assert set(modes) <= {"livesum", "livemax"}
