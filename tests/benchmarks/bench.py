"""What every part of the benchmark shares: the processes that run, and how they are asked."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import NamedTuple

import grpc
from msgspec import Struct

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.storage.migrate import migrate
from tests.benchmarks.filling import Template
from tests.benchmarks.messages import creates
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import Rounds, Subject
from tests.benchmarks.service import Service, service
from tests.benchmarks.worker import Child
from tests.storage.postgres.server import Server, running_server

TOGETHER = 32
GETS, CREATES, SDK_CREATES, ALONE = 4000, 2000, 400, 300

# As a server is run that nobody has tuned, and that forgets nothing.
_DURABLE = ("fsync=on", "synchronous_commit=on", "max_connections=100", "shared_buffers=256MB")


class Asked(Struct, frozen=True, kw_only=True):
    """How much is to be measured."""

    rounds: int = 5
    calls: int = 50_000
    sizes: tuple[int, ...] = (1_000_000,)
    due: int = 100_000
    weighed: int = 20_000
    watchers: int = 1000
    sdk: Path
    plot: Path | None = None


class Found(NamedTuple):
    """What a part has measured."""

    bars: Sequence[Bar] = ()
    figures: Sequence[tuple[str, Rounds]] = ()
    notes: Sequence[str] = ()


class Bench:
    """Everything that runs during a measurement, started when it is first needed."""

    def __init__(self, *, folder: Path, asked: Asked, running: ExitStack) -> None:
        self.folder = folder
        self.asked = asked
        self.rounds = asked.rounds
        self._running = running
        self._numbers = count(1)

    @cached_property
    def provider(self) -> Child:
        """The provider that answers at once."""
        return self.child("-m", "tests.benchmarks.provider")

    @cached_property
    def client(self) -> Child:
        """The process that calls."""
        return self.child("-m", "tests.benchmarks.client")

    @cached_property
    def sdk(self) -> Child:
        """The process that uses the provider's own package."""
        program = [str(self.asked.sdk), "tests/benchmarks/sdk.py", self.provider.address]
        return self._running.enter_context(Child(program))

    @cached_property
    def ours(self) -> Service:
        """The service on SQLite, with one session in its store."""
        started = self.serve()
        one_session(started.address)
        return started

    @cached_property
    def floor(self) -> Child:
        """The yardsticks F and I."""
        stored = self.folder / "session"
        stored.write_bytes(one_session(self.ours.address))
        database = str(self.folder / "floor.db")
        return self.child(
            "-m", "tests.benchmarks.floor", str(stored), database, self.provider.address
        )

    @cached_property
    def database(self) -> Server:
        """A PostgreSQL server that keeps what it has acknowledged."""
        return self._running.enter_context(running_server(settings=_DURABLE))

    @cached_property
    def template(self) -> Template:
        """A session as the service has stored it."""
        folder = self.new_folder()
        with service(folder, self.provider.address) as started:
            one_session(started.address)
        return Template.read(folder / "checkout.db")

    def child(self, *arguments: str) -> Child:
        """Start a program of the benchmark that ends with it."""
        return self._running.enter_context(Child([sys.executable, *arguments]))

    def new_folder(self) -> Path:
        """Make a folder that nothing is in."""
        folder = self.folder / f"part-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def new_database(self) -> str:
        """Make a migrated PostgreSQL database and return its URL."""
        name = f"part_{next(self._numbers)}"
        self.database.execute(f"CREATE DATABASE {name}")
        url = self.database.url(name)
        migrate(url)
        return url

    def serve(
        self, folder: Path | None = None, *, every: bool = False, url: str = "", workers: int = 1
    ) -> Service:
        """Start a service that ends with the benchmark."""
        folder = folder or self.new_folder()
        return self._running.enter_context(
            service(folder, self.provider.address, every=every, url=url, workers=workers)
        )

    @contextmanager
    def serving(self, folder: Path, url: str = "") -> Iterator[Service]:
        """Run a service for a while."""
        with service(folder, self.provider.address, url=url) as started:
            yield started

    def subject(
        self, kind: str, number: int, process: "Service | Child", **more: object
    ) -> Subject:
        """Return how a server is asked."""
        question = {"kind": kind, "address": process.address, **more}
        return Subject(process.pid, self.client, number, question)


def one_session(address: str) -> bytes:
    """Create a session and return what a read of it answers."""
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        checkout = CheckoutServiceStub(channel)
        name = f"first-{time.monotonic_ns()}"
        created = checkout.CreateSession(pb.CreateSessionRequest.FromString(next(creates(name))))
        found = checkout.GetSession(
            pb.GetSessionRequest(session_id=created.session.session_id), timeout=60
        )
        return found.SerializeToString()
