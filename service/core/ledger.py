"""Reads, decides and writes one session until no other writer came between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core.changes import changes
from service.core.errors import SessionNotFound, StoreConflict
from service.core.events import Cause, Changed
from service.core.waiting import joined, waiting_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from service.core.inbox import InboxEvent
    from service.core.model import Session
    from service.core.ports import Clock, Observer, Store
    from service.core.record import Record

UPDATED = "session.updated"
"""What a change is called that callers can see and that no other word fits."""


class Ledger:
    """The store as the rules use it: every stored change is observed, every conflict decided again."""

    def __init__(
        self,
        *,
        store: Store,
        observer: Observer,
        clock: Clock,
        hinted: Callable[[Record], None] | None = None,
    ) -> None:
        """Call `hinted` for a record that news had waited for which only its provider can tell."""
        self._store = store
        self._observer = observer
        self._clock = clock
        self._hinted = hinted

    async def load(self, session_id: str) -> Record:
        """Return a record. Raises SessionNotFound."""
        record = await self._store.find(session_id)
        if record is None:
            raise SessionNotFound("no session has this id", session_id=session_id)
        return record

    async def create(self, record: Record) -> Record:
        """Store a new record and return it. Raises RequestIdTaken."""
        session, types = record.session, changes(None, record.session)
        begun = _changed(record, Cause.CREATE_REQUESTED, types, session.create_time)
        await self._store.create(record, (begun,))
        self._observer.changed(None, session, types)
        return record

    async def change(
        self,
        record: Record,
        decide: Callable[[Record], Record],
        *,
        cause: Cause,
        references: Sequence[str] = (),
        event: InboxEvent | None = None,
    ) -> Record:
        """Store what `decide` makes of the newest record; where it changes nothing, store the event alone.

        Events that waited for one of the references are applied first, in the same write. `decide` may be called
        several times and may raise. Raises EventKnown.
        """
        while True:
            waiting, learnt = await waiting_for(self._store, record, references)
            decided = _numbered(record, decide(joined(record, waiting)), is_new=bool(waiting))
            types = changes(record.session, decided.session)
            shown = types or _updated(record.session, decided.session)
            try:
                if decided is record:
                    await self._store_event(event)
                    return record
                await self._store.save(
                    decided,
                    expected_version=record.session.version,
                    references=learnt,
                    event=event,
                    matched=[one.event_id for one in waiting],
                    facts=(_changed(decided, cause, shown, self._clock.now()),),
                )
            except StoreConflict:
                record = await self.load(record.session.session_id)
                continue
            self._tell(record, decided, types, waiting)
            return decided

    def _tell(
        self, before: Record, after: Record, types: Sequence[str], waiting: Sequence[InboxEvent]
    ) -> None:
        session = after.session
        self._observer.changed(before.session, session, types)
        for event in waiting:
            self._observer.noted(
                "webhook.matched",
                provider=event.provider,
                account=event.account,
                event_type=event.event_type,
                event_id=event.event_id,
                session_id=session.session_id,
            )
        if self._hinted and any(one.waiting and not one.waiting.report for one in waiting):
            self._hinted(after)

    async def _store_event(self, event: InboxEvent | None) -> None:
        if event is not None:
            await self._store.receive(event)


def _numbered(before: Record, after: Record, *, is_new: bool) -> Record:
    """Give a change that the session does not show a version of its own: the version is what writers compare."""
    if after == before and not is_new:
        return before
    version = before.session.version + 1
    if after.session.version == version:
        return after
    return structs.replace(after, session=structs.replace(after.session, version=version))


def _updated(before: Session, after: Session) -> Sequence[str]:
    """Name a change that has no name of its own, unless callers cannot see it."""
    if before is after:
        return ()
    same = structs.replace(
        after,
        version=before.version,
        update_time=before.update_time,
        reconciled_time=before.reconciled_time,
    )
    return () if same == before else (UPDATED,)


def _changed(record: Record, cause: Cause, types: Sequence[str], now: datetime) -> Changed:
    session, number = record.session, record.attempt.number
    return Changed(now, cause, session.state, session.payment_status, number, tuple(types))
