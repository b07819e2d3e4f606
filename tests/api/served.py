"""Our server on a thread and a loop of its own, as pytest-grpc's synchronous channels need it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from service.api.server import GrpcServer, build
from service.api.servicer import UseCases
from service.core.background import Background
from service.core.chronicle import Chronicle
from service.core.directory import Directory
from service.core.ledger import Ledger
from service.core.ports import Store
from service.core.query import GetSession
from service.core.reconcile import Reconciler
from service.core.rules import build_rules
from service.core.view import SessionView
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.core.scripted import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Coroutine, MutableMapping

T = TypeVar("T")

PATIENCE = 20.0
LOG_ID = "log_1"


class FailingGetSession(GetSession):
    """The real use case, until it is told to raise something or to wait."""

    failure: BaseException | None = None
    gate: asyncio.Event | None = None

    async def __call__(self, session_id: str, *, refresh: bool = False) -> SessionView:
        """Raise the failure, wait at the gate, or read the session."""
        if self.failure is not None:
            raise self.failure
        if self.gate is not None:
            await self.gate.wait()
        return await super().__call__(session_id, refresh=refresh)


class Served:
    """A running server with everything a test may look at or change."""

    server: GrpcServer
    store: Store
    get_session: FailingGetSession

    def __init__(self, folder: Path, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.provider = ScriptedProvider()
        self.registry = CollectorRegistry()
        self._lines: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._background = Background()
        self._folder = folder
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"127.0.0.1:{self.server.port}"

    def start(self) -> None:
        """Return when the server takes calls."""
        self._thread.start()
        self.run(self._start())

    def stop(self) -> None:
        """Return when everything has ended."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop."""
        return self.begin(work).result(PATIENCE)

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def closed_gate(self) -> asyncio.Event:
        """Return an event that the server's loop can wait for."""
        return asyncio.Event()

    def open(self, gate: asyncio.Event) -> None:
        """Let those pass who wait."""
        self._loop.call_soon_threadsafe(gate.set)

    def wait_for_call(self, method: str) -> None:
        """Return when a call of a method is being handled."""

        async def handled() -> None:
            while not self.count("checkout_grpc_calls_in_flight", method=method):
                await asyncio.sleep(0)

        self.run(handled())

    def line(self, method: str, **fields: str) -> dict[str, Any]:
        """Return the next log line with these fields; it comes after the caller's answer."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            if line["method"].endswith(f"/{method}") and fields.items() <= line.items():
                return line

    def count(self, name: str, **labels: str) -> float:
        """Return the value of a metric."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def _start(self) -> None:
        url = f"sqlite:///{self._folder / 'checkout.db'}"
        await asyncio.to_thread(migrate, url)
        self.store = await open_store(url)
        self.server = build(
            address="127.0.0.1:0",
            use_cases=await self._use_cases(),
            logger=structlog.wrap_logger(None, processors=[self._keep]),
            registry=self.registry,
            providers=[self.provider.name],
            new_log_id=lambda: LOG_ID,
        )
        await self.server.start()
        await self.server.set_serving(is_serving=True)

    async def _use_cases(self) -> UseCases:
        clock, seen, store = self.clock, Observations(), self.store
        ledger, directory = (
            Ledger(
                store=store,
                observer=seen,
                chronicle=Chronicle(clock=clock, secret=b"secret"),
            ),
            Directory([self.provider]),
        )
        self.rules = build_rules(
            store=store,
            providers=[self.provider],
            observer=seen,
            clock=clock,
            ids=CountingIds(),
            secret=await store.secret(),
            sweep_interval=timedelta(seconds=1),
        )
        self.get_session = FailingGetSession(
            ledger=ledger,
            reconciler=Reconciler(
                ledger=ledger,
                directory=directory,
                background=self._background,
                observer=seen,
                clock=clock,
            ),
            clock=clock,
        )
        return UseCases(
            create_session=self.rules.create_session,
            get_session=self.get_session,
            expire_session=self.rules.expire_session,
            list_sessions=self.rules.list_sessions,
            list_providers=self.rules.list_providers,
            check_session=self.rules.check_session,
            list_currencies=self.rules.list_currencies,
            list_unmatched_payments=self.rules.list_unmatched_payments,
            list_session_events=self.rules.list_session_events,
            watch_sessions=self.rules.watch_sessions,
        )

    def _keep(self, logger: object, level: str, line: MutableMapping[str, Any]) -> str:
        self._lines.put({**line, "level": level})
        raise structlog.DropEvent

    async def _stop(self) -> None:
        await self.server.stop(timedelta(seconds=PATIENCE))
        await self._background.drain(timedelta(seconds=PATIENCE))
        await self.store.close()
