"""The `Store` port on SQLite."""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

from service.core.clock import SystemClock
from service.core.due import Change, Claimed
from service.core.errors import StoreUnavailable
from service.core.events import Fact, NumberedEvent, SessionEvent
from service.core.inbox import InboxEvent
from service.core.model import Session
from service.core.ports import SessionQuery
from service.core.record import Record, RequestKey
from service.core.retention import Place
from service.core.unmatched import UnmatchedPayment, UnmatchedQuery
from service.storage import due as stored_due
from service.storage.revision import check_current
from service.storage.sqlite import (
    due,
    events,
    inbox,
    listing,
    marks,
    retention,
    sessions,
    unmatched,
    waiting,
)
from service.storage.sqlite.engine import Readers, Writer, connect_writer
from service.storage.sqlite.guard import Guard
from service.storage.sqlite.lock import StoreLock

_KEY = "SELECT value FROM store_meta WHERE name = 'secret'"
# SQLite writes nothing where a row stays as it is.
_PROBE = "UPDATE store_meta SET value = 1 - value WHERE name = 'probe'"


class SqliteStore:
    """Keeps records in one SQLite file."""

    set_size = 20

    def __init__(self, *, writer: Writer, readers: Readers, lock: StoreLock) -> None:
        self._writer = writer
        self._readers = readers
        self._lock = lock
        self._closed = False
        self.clock = SystemClock()

    @classmethod
    def open(cls, path: Path) -> "SqliteStore":
        """Open a migrated database file that no other process writes."""
        check_current(path)
        with ExitStack() as opened:
            lock = opened.enter_context(StoreLock(path))
            if not os.access(path, os.W_OK):
                # SQLite would open it to read.
                raise StoreUnavailable(f"The store {path} must not be written by this user.")
            try:
                # The writer comes first: a reader may not be able to make the log it reads.
                connection = connect_writer(path)
                opened.callback(connection.close)
                guard = Guard(path)
                readers = Readers(path, guard=guard)
            except sqlite3.Error as error:
                raise StoreUnavailable(f"The store {path} cannot be opened: {error}.") from error
            opened.pop_all()
        writer = Writer(connection, guard=guard, loop=asyncio.get_running_loop())
        return cls(writer=writer, readers=readers, lock=lock)

    async def create(self, record: Record, facts: Sequence[Fact] = ()) -> None:
        await self._writer.run(sessions.create(record, facts))

    async def find(self, session_id: str) -> Record | None:
        return self._readers.look_up(partial(sessions.find, session_id=session_id))

    async def find_sessions(self, session_ids: Sequence[str]) -> Sequence[Session]:
        return await self._readers.run(partial(sessions.find_many, session_ids=session_ids))

    async def find_by_request(self, key: RequestKey) -> Record | None:
        return self._readers.look_up(partial(sessions.find_by_request, key=key))

    async def find_by_reference(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Record | None:
        return self._readers.look_up(
            lambda connection: sessions.find_by_reference(connection, provider, account, references)
        )

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
        await self._writer.run(
            sessions.save(
                record,
                expected_version=expected_version,
                references=references,
                event=event,
                matched=matched,
                facts=facts,
            )
        )

    async def receive(
        self, event: InboxEvent, *, version: int = 0, facts: Sequence[Fact] = ()
    ) -> None:
        await self._writer.run(partial(inbox.receive, event=event, version=version, facts=facts))

    async def find_waiting(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Sequence[InboxEvent]:
        return self._readers.look_up(
            lambda connection: waiting.find(connection, provider, account, references)
        )

    async def list_unmatched(self, query: UnmatchedQuery) -> Sequence[UnmatchedPayment]:
        return await self._readers.run(partial(unmatched.list_unmatched, query=query))

    async def list_sessions(self, query: SessionQuery) -> Sequence[Session]:
        return await self._readers.run(partial(listing.list_sessions, query=query))

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Claimed:  # noqa: ARG002 - of the port
        rows = await self._readers.run(partial(due.read_due, now=now, limit=limit))
        # Not on the reader's thread, which would keep the event loop from running for as long.
        return await stored_due.read(rows)

    async def save_each(self, changes: Sequence[Change]) -> Sequence[str]:
        return await self._writer.run(await due.save_each(changes))

    async def purge_events(
        self, *, matched_before: datetime, unmatched_before: datetime, limit: int
    ) -> int:
        return await self._writer.run(
            partial(
                inbox.purge,
                matched_before=matched_before,
                unmatched_before=unmatched_before,
                limit=limit,
            )
        )

    async def list_old(
        self, created_before: datetime, after: Place | None, limit: int
    ) -> Sequence[Record]:
        return await self._readers.run(
            partial(retention.list_old, created_before=created_before, after=after, limit=limit)
        )

    async def delete_sessions(self, records: Sequence[Record]) -> int:
        return await self._writer.run(partial(retention.delete, records=records))

    async def looked_until(self, provider: str, account: str) -> datetime | None:
        return self._readers.look_up(lambda connection: marks.read(connection, provider, account))

    async def look_from(self, provider: str, account: str, moment: datetime) -> None:
        await self._writer.run(
            lambda connection: marks.write(connection, provider, account, moment)
        )

    async def look_after(
        self,
        provider: str,  # noqa: ARG002 - of the port
        account: str,  # noqa: ARG002 - of the port
        *,
        now: datetime,  # noqa: ARG002 - of the port
        until: datetime,  # noqa: ARG002 - of the port
    ) -> bool:
        return True

    async def add_facts(self, session_id: str, version: int, facts: Sequence[Fact]) -> None:
        await self._writer.run(
            lambda connection: events.add(connection, session_id, version, facts)
        )

    async def list_events(self, session_id: str, after: int, limit: int) -> Sequence[SessionEvent]:
        return await self._readers.run(
            lambda connection: events.list_events(connection, session_id, after, limit)
        )

    async def number_events(self, limit: int) -> int:  # noqa: ARG002 - of the port
        return 0

    async def read_events(self, after: int, limit: int) -> Sequence[NumberedEvent]:
        return await self._readers.run(
            lambda connection: events.read_events(connection, after, limit)
        )

    async def event_range(self) -> tuple[int, int]:
        return self._readers.look_up(events.event_range)

    async def forget_positions(self, before: datetime, limit: int) -> int:  # noqa: ARG002 - of the port
        return 0

    async def store_id(self) -> bytes:
        return self._readers.look_up(events.store_id)

    async def secret(self) -> bytes:
        def read(connection: sqlite3.Connection) -> bytes:
            return bytes(connection.execute(_KEY).fetchone()[0])

        return self._readers.look_up(read)

    async def ping(self) -> None:
        await self._writer.run(lambda connection: connection.execute(_PROBE).rowcount)
        await self.secret()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._readers.close()
        await self._writer.close()
        self._lock.release()
