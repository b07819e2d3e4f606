"""Reads, decides and writes one session until no other writer came between."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from service.core import calls, portions
from service.core.changes import changes
from service.core.due import Change
from service.core.errors import SessionNotFound, StoreConflict, StoreUnavailable
from service.core.waiting import joined, waiting_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from service.core.chronicle import Chronicle
    from service.core.events import Cause, Fact
    from service.core.inbox import InboxEvent
    from service.core.ports import Observer, Store
    from service.core.record import Record


class _Decided(NamedTuple):
    before: Record
    change: Change
    types: Sequence[str]


class Ledger:
    """The store as the rules use it: every stored change is observed and told, every conflict decided again."""

    def __init__(
        self,
        *,
        store: Store,
        observer: Observer,
        chronicle: Chronicle,
        hinted: Callable[[Record], None] | None = None,
    ) -> None:
        """Call `hinted` for a record that news had waited for which only its provider can tell."""
        self._store = store
        self._observer = observer
        self._chronicle = chronicle
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
        await self._store.create(record, self._chronicle.begun(record, types))
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
        # Seldom does anything wait. The store refuses a write that overlooks it: only then is it looked for.
        sought: Sequence[str] = ()
        while True:
            waiting, learnt = await waiting_for(self._store, record, sought)
            decided = self._decided(record, decide, cause, event, waiting)
            try:
                if decided is None:
                    if sought is references:
                        await self._leave(record, event)
                        return record
                    sought = references
                    continue
                change = decided.change
                await self._store.save(
                    change.record,
                    expected_version=change.expected_version,
                    references=learnt or references,
                    event=event,
                    matched=[one.event_id for one in waiting],
                    facts=change.facts,
                )
            except StoreConflict:
                record = await self.load(record.session.session_id)
                sought = references
                continue
            calls.forget_calls()
            self._tell(decided, waiting)
            return change.record

    async def change_each(
        self, records: Sequence[Record], decide: Callable[[Record], Record], *, cause: Cause
    ) -> int:
        """Store what `decide` makes of each of several sessions, in one write; return how many it changes.

        Those that another writer came to meanwhile are decided again one by one. It tells of no calls.
        """
        found = await portions.each(lambda one: self._decided(one, decide, cause), records)
        decided = [one for one in found if one]
        if not decided:
            return 0
        stale = await self._store.save_each([one.change for one in decided])
        saved = [one for one in decided if one.change.record.session.session_id not in stale]
        await portions.each(self._tell, saved)
        for session_id in stale:
            with suppress(SessionNotFound):
                await self.change(await self.load(session_id), decide, cause=cause)
        return len(decided)

    @asynccontextmanager
    async def calling(self, record: Record) -> AsyncIterator[None]:
        """Gather the calls of a block; those that no change took along are told at its end."""
        with calls.Gathering():
            try:
                yield
            except StoreUnavailable:
                # It would not take this either, and somebody waits.
                raise
            except Exception:
                await self.note(record)
                raise
            await self.note(record)

    async def note(self, record: Record, event: InboxEvent | None = None) -> None:
        """Tell the timeline of calls that came to nothing, and of an event that was delivered again.

        A store that is away is not told: nothing depends on it.
        """
        chronicle = self._chronicle
        facts = chronicle.unchanged(None) if event is None else chronicle.repeated(event)
        with suppress(StoreUnavailable):
            await self._add(record, facts)

    def _decided(
        self,
        before: Record,
        decide: Callable[[Record], Record],
        cause: Cause,
        event: InboxEvent | None = None,
        waiting: Sequence[InboxEvent] = (),
    ) -> _Decided | None:
        after = _numbered(before, decide(joined(before, waiting)), is_new=bool(waiting))
        if after is before:
            return None
        types = changes(before.session, after.session)
        facts = self._chronicle.changed(
            before, after, types, cause=cause, event=event, waiting=waiting
        )
        change = Change(record=after, expected_version=before.session.version, facts=facts)
        return _Decided(before, change, types)

    def _tell(self, decided: _Decided, waiting: Sequence[InboxEvent] = ()) -> None:
        after = decided.change.record
        session = after.session
        self._observer.changed(decided.before.session, session, decided.types)
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

    async def _leave(self, record: Record, event: InboxEvent | None) -> None:
        facts = self._chronicle.unchanged(event)
        if event is None:
            await self._add(record, facts)
            return
        await self._store.receive(event, version=record.session.version, facts=facts)
        calls.forget_calls()

    async def _add(self, record: Record, facts: Sequence[Fact]) -> None:
        if facts:
            session = record.session
            await self._store.add_facts(session.session_id, session.version, facts)
            calls.forget_calls()


def _numbered(before: Record, after: Record, *, is_new: bool) -> Record:
    """Give a change that the session does not show a version of its own: the version is what writers compare."""
    version = before.session.version + 1
    if after.session.version == version:
        return after
    if after == before and not is_new:
        return before
    return structs.replace(after, session=structs.replace(after.session, version=version))
