"""The use cases on a real store, with a clock and a provider that tests control."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.core.background import Background
from service.core.create import CreateSession
from service.core.errors import StoreUnavailable
from service.core.expire import ExpireSession
from service.core.expiry import ExpirySweep
from service.core.forgetting import Forgetting
from service.core.history import ListSessionEvents
from service.core.model import Session
from service.core.ports import Store
from service.core.query import GetSession, ListSessions
from service.core.reconciliation import Reconciliation
from service.core.rules import build_rules
from service.core.unmatched import ListUnmatchedPayments
from service.core.webhooks import ReceiveWebhook
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.core.builders import NOW
from tests.core.scripted import ScriptedProvider

RETENTION = timedelta(days=90)


class ManualClock:
    """A clock that moves when somebody sleeps, and not even then where a test says so."""

    def __init__(self) -> None:
        self.time = NOW
        self.stands_still = False

    def now(self) -> datetime:
        return self.time

    async def sleep(self, delay: timedelta) -> None:
        if not self.stands_still:
            self.time += delay
        await asyncio.sleep(0)


class CountingIds:
    """Ids in sequence."""

    def __init__(self) -> None:
        self.count = 0

    def session_id(self, now: datetime) -> str:
        self.count += 1
        return f"cs_{int(now.timestamp()):016d}{self.count:010d}"


class Observations:
    """Remembers what was observed."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def changed(self, before: Session | None, after: Session, events: object) -> None:
        self.events += list(events)  # type: ignore[call-overload]

    def noted(self, event: str, **fields: object) -> None:
        self.events.append(event)


class Interruptible:
    """The real store, which can be told to be away for writers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> object:
        if self.away and name in {"save", "save_each", "delete_sessions"}:
            raise StoreUnavailable("away")
        return getattr(self._store, name)


@dataclass
class Service:
    """Everything a test may touch."""

    clock: ManualClock
    provider: ScriptedProvider
    store: Any
    ids: CountingIds
    observations: Observations
    background: Background
    create: CreateSession
    get: GetSession
    list: ListSessions
    expire: ExpireSession
    sweep: ExpirySweep
    forgetting: Forgetting
    reconciliation: Reconciliation
    webhook: ReceiveWebhook
    unmatched: ListUnmatchedPayments
    events: ListSessionEvents


async def serving(
    opened: object, clock: ManualClock, provider: ScriptedProvider, ids: CountingIds
) -> Service:
    """Return the use cases wired as the service wires them: whoever died before left nothing but the store."""
    store: Any = opened
    seen = Observations()
    rules = build_rules(
        store=store,
        providers=[provider],
        observer=seen,
        clock=clock,
        ids=ids,
        secret=await store.secret(),
        sweep_interval=timedelta(seconds=1),
        session_retention=RETENTION,
    )
    return Service(
        clock=clock,
        provider=provider,
        store=store,
        ids=ids,
        observations=seen,
        background=rules.background,
        create=rules.create_session,
        get=rules.get_session,
        list=rules.list_sessions,
        expire=rules.expire_session,
        sweep=rules.sweep,
        forgetting=rules.forgetting,
        reconciliation=rules.reconciliation,
        webhook=rules.receive_webhook,
        unmatched=rules.list_unmatched_payments,
        events=rules.list_session_events,
    )


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a migrated, empty store."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
async def service(tmp_path: Path, empty_store: bytes) -> AsyncIterator[Service]:
    """Return the use cases wired as the service wires them."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty_store)
    store: Any = Interruptible(await open_store(f"sqlite:///{path}"))
    service = await serving(store, ManualClock(), ScriptedProvider(), CountingIds())
    yield service
    await service.background.drain(timedelta(seconds=60))
    await store.close()
