"""The metrics of all workers as one, in files that outlive each of them."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Self

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector, values
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Tells prometheus_client where it keeps its files; it must be set before that is imported."""

SUPERVISOR = "supervisor"

_KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemax")
_ROOM = 1 << 20
_PID = ".pid"


class Figures:
    """The folder with the files of every worker, as their supervisor keeps it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def prepare(cls, workers: int) -> Self:
        """Make the folder, with room for what workers count. Raises OSError."""
        figures = cls(Path(tempfile.mkdtemp(prefix="checkout-workers-")))
        try:
            for number in range(1, workers + 1):
                for kind in _KINDS:
                    # To write where the disk has no room left would end the worker: it maps its files into memory.
                    (figures.folder / f"{kind}_{number}.db").write_bytes(bytes(_ROOM))
        except OSError:
            figures.remove()
            raise
        return figures

    def begin(self, name: object, pid: int) -> None:
        """Note the process that a worker, or the supervisor, now is."""
        # Whatever tidies a folder for temporary files, or fills its disk, is no reason to serve no more.
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            (self.folder / f"{name}{_PID}").write_text(str(pid))

    def end(self, number: int) -> None:
        """Forget what was true of a worker while it lived; what it has counted stays."""
        (self.folder / f"{number}{_PID}").unlink(missing_ok=True)
        for gauges in self.folder.glob(f"gauge_*_{number}.db"):
            with gauges.open("r+b") as file:
                # The number of bytes in use: a file without any is as good as new.
                file.write(bytes(8))

    def remove(self) -> None:
        """Remove everything."""
        rmtree(self.folder, ignore_errors=True)


class SharedRegistry(CollectorRegistry):
    """Takes one worker's metrics, and collects those of all workers."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(auto_describe=True)
        self._folder = folder
        # By its number a worker goes on with the figures of the one whose place it takes.
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: number)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        collector = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]
        yield from collector.collect()  # type: ignore[no-untyped-call]
        yield from _processes(self._folder)
        yield from PlatformCollector(registry=None).collect()


def leave(folder: Path, number: int) -> None:
    """Remove the files of a worker whose supervisor is gone, and the folder after the last one."""
    for file in (*folder.glob(f"*_{number}.db"), folder / f"{number}{_PID}"):
        file.unlink(missing_ok=True)
    (folder / f"{SUPERVISOR}{_PID}").unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _processes(folder: Path) -> Iterator[Metric]:
    found: defaultdict[str, list[tuple[str, Metric]]] = defaultdict(list)
    for file in sorted(folder.glob(f"*{_PID}")):
        with suppress(FileNotFoundError):
            collector = ProcessCollector(pid=file.read_text, registry=None)
            for metric in collector.collect():
                found[metric.name].append((file.stem, metric))
    for name, metrics in found.items():
        merged = Metric(name, metrics[0][1].documentation, metrics[0][1].type)
        for process, metric in metrics:
            for sample in metric.samples:
                merged.add_sample(sample.name, {**sample.labels, "worker": process}, sample.value)
        yield merged
