"""The `Store` port on PostgreSQL."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from service.core.clock import unguessable_ids
from service.core.due import Change, Claimed
from service.core.errors import StoreUnavailable
from service.core.events import Fact, NumberedEvent, SessionEvent
from service.core.inbox import InboxEvent
from service.core.model import Session
from service.core.ports import SessionQuery
from service.core.record import Record, RequestKey
from service.core.retention import Place
from service.core.unmatched import UnmatchedPayment, UnmatchedQuery
from service.storage.connections import USUAL, Connections
from service.storage.location import PostgresPlace
from service.storage.postgres import (
    due,
    events,
    inbox,
    listing,
    marks,
    retention,
    sessions,
    unmatched,
)
from service.storage.postgres.clock import ServerClock, machine_ticks
from service.storage.postgres.engine import Database
from service.storage.postgres.leases import look_after, release
from service.storage.postgres.revision import check_current, check_running

_KEY = "SELECT value FROM store_meta WHERE name = 'secret'"
_PROBE = "UPDATE store_meta SET value = value WHERE name = 'probe'"


class PostgresStore:
    """Keeps records in a PostgreSQL database."""

    set_size = 50

    def __init__(self, database: Database, clock: ServerClock) -> None:
        self._database = database
        self.clock = clock
        self._name = unguessable_ids()()
        self._keeping = asyncio.get_running_loop().create_task(clock.keep(database))

    @classmethod
    async def open(
        cls,
        place: PostgresPlace,
        connections: Connections = USUAL,
        ticks: Callable[[], int] = machine_ticks,
    ) -> "PostgresStore":
        """Open a migrated database; `ticks` are microseconds of this machine, from any beginning."""
        await check_current(place)
        database = Database(place, connections)
        clock = ServerClock(ticks)
        try:
            await clock.begin(database)
        except Exception:
            await database.close()
            raise
        return cls(database, clock)

    async def create(self, record: Record, facts: Sequence[Fact] = ()) -> None:
        await sessions.create(self._database, record, facts)

    async def find(self, session_id: str) -> Record | None:
        return await sessions.find(self._database, session_id)

    async def find_sessions(self, session_ids: Sequence[str]) -> Sequence[Session]:
        return await sessions.find_many(self._database, session_ids)

    async def find_by_request(self, key: RequestKey) -> Record | None:
        return await sessions.find_by_request(self._database, key)

    async def find_by_reference(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Record | None:
        return await sessions.find_by_reference(self._database, provider, account, references)

    async def save(
        self,
        record: Record,
        *,
        expected_version: int,
        references: Sequence[str] = (),
        event: InboxEvent | None = None,
        matched: Sequence[str] = (),
        facts: Sequence[Fact] = (),
    ) -> None:
        await sessions.save(
            self._database,
            record,
            expected_version=expected_version,
            references=references,
            event=event,
            matched=matched,
            facts=facts,
        )

    async def receive(
        self, event: InboxEvent, *, version: int = 0, facts: Sequence[Fact] = ()
    ) -> None:
        await inbox.receive(self._database, event, version, facts)

    async def find_waiting(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Sequence[InboxEvent]:
        return await inbox.find_waiting(self._database, provider, account, references)

    async def list_unmatched(self, query: UnmatchedQuery) -> Sequence[UnmatchedPayment]:
        return await unmatched.list_unmatched(self._database, query)

    async def list_sessions(self, query: SessionQuery) -> Sequence[Session]:
        return await listing.list_sessions(self._database, query)

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Claimed:
        return await due.claim_due(self._database, now, until, limit)

    async def save_each(self, changes: Sequence[Change]) -> Sequence[str]:
        return await due.save_each(self._database, changes)

    async def purge_events(
        self, *, matched_before: datetime, unmatched_before: datetime, limit: int
    ) -> int:
        return await inbox.purge(self._database, matched_before, unmatched_before, limit)

    async def list_old(
        self, created_before: datetime, after: Place | None, limit: int
    ) -> Sequence[Record]:
        return await retention.list_old(self._database, created_before, after, limit)

    async def delete_sessions(self, records: Sequence[Record]) -> int:
        return await retention.delete(self._database, records)

    async def looked_until(self, provider: str, account: str) -> datetime | None:
        return await marks.read(self._database, provider, account)

    async def look_from(self, provider: str, account: str, moment: datetime) -> None:
        await marks.write(self._database, provider, account, moment)

    async def look_after(
        self, provider: str, account: str, *, now: datetime, until: datetime
    ) -> bool:
        return await look_after(self._database, self._name, (provider, account), now, until)

    async def add_facts(self, session_id: str, version: int, facts: Sequence[Fact]) -> None:
        await events.add(self._database, session_id, version, facts)

    async def list_events(self, session_id: str, after: int, limit: int) -> Sequence[SessionEvent]:
        return await events.list_events(self._database, session_id, after, limit)

    async def number_events(self, limit: int) -> int:
        return await events.number(self._database, limit)

    async def read_events(self, after: int, limit: int) -> Sequence[NumberedEvent]:
        return await events.read_events(self._database, after, limit)

    async def event_range(self) -> tuple[int, int]:
        return await events.event_range(self._database)

    async def forget_positions(self, before: datetime, limit: int) -> int:
        return await events.forget(self._database, before, limit)

    async def store_id(self) -> bytes:
        return await events.store_id(self._database)

    async def secret(self) -> bytes:
        ((value,),) = await self._database.read(_KEY)
        return bytes(value)

    async def ping(self) -> None:
        await self._database.write(_PROBE)
        await check_running(self._database)

    async def close(self) -> None:
        self._keeping.cancel()
        with suppress(StoreUnavailable):
            await release(self._database, self._name)
        await self._database.close()
