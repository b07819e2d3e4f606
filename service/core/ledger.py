"""Reads, decides and writes one session until no other writer came between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core.changes import changes
from service.core.errors import SessionNotFound, StoreConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.core.ports import InboxEvent, Observer, Store
    from service.core.record import Record


class Ledger:
    """The store as the rules use it: every stored change is observed, every conflict decided again."""

    def __init__(self, *, store: Store, observer: Observer) -> None:
        self._store = store
        self._observer = observer

    async def load(self, session_id: str) -> Record:
        """Return a record. Raises SessionNotFound."""
        record = await self._store.find(session_id)
        if record is None:
            raise SessionNotFound("no session has this id", session_id=session_id)
        return record

    async def create(self, record: Record) -> Record:
        """Store a new record and return it. Raises RequestIdTaken."""
        await self._store.create(record)
        self._observer.changed(None, record.session, changes(None, record.session))
        return record

    async def change(
        self,
        record: Record,
        decide: Callable[[Record], Record],
        *,
        references: Sequence[str] = (),
        event: InboxEvent | None = None,
    ) -> Record:
        """Store what `decide` makes of the newest record; where it changes nothing, store the event alone.

        `decide` may be called several times and may raise. Raises EventKnown.
        """
        while True:
            decided = _numbered(record, decide(record))
            try:
                if decided is record:
                    await self._store_event(event)
                    return record
                await self._store.save(
                    decided,
                    expected_version=record.session.version,
                    references=references,
                    event=event,
                )
            except StoreConflict:
                record = await self.load(record.session.session_id)
                continue
            before, after = record.session, decided.session
            self._observer.changed(before, after, changes(before, after))
            return decided

    async def _store_event(self, event: InboxEvent | None) -> None:
        if event is not None:
            await self._store.receive(event)


def _numbered(before: Record, after: Record) -> Record:
    """Give a change that only the attempt shows a version of its own: the version is what writers compare."""
    if after == before:
        return before
    version = before.session.version + 1
    if after.session.version == version:
        return after
    return structs.replace(after, session=structs.replace(after.session, version=version))
