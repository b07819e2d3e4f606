"""What every store must remember of what happened: by session, and in one order."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

import pytest

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict
from service.core.events import (
    Called,
    Cause,
    Changed,
    Fact,
    NumberedEvent,
    Received,
    SessionEvent,
    Taking,
)
from service.core.model import PaymentStatus, State
from service.core.ports import Store
from service.core.record import RequestKey
from tests.storage.records import HOUR, NOW, changed, event, record, session_id
from tests.storage.suite import Reopen

MANY = 1000
MICROSECOND = timedelta(microseconds=1)


def change(*types: str, attempt: int = 1, time: datetime = NOW) -> Changed:
    """Build what is remembered of a change."""
    return Changed(time, Cause.WEBHOOK, State.OPEN, PaymentStatus.UNPAID, attempt, types)


def call(operation: str = "create") -> Called:
    """Build what is remembered of a call, every field of it set."""
    return Called(
        NOW + MICROSECOND,
        operation,
        "answered",
        timedelta(milliseconds=12, microseconds=345),
        attempt=2,
        status=201,
        provider_request_id='req_"1"',
        request_digest="0123456789abcdef",
        answer_digest="fedcba9876543210",
    )


def webhook(taking: Taking = Taking.APPLIED) -> Received:
    """Build what is remembered of a webhook."""
    return Received(NOW - HOUR, taking, "evt_\0 1", "payment.succeeded", "LIVE_MISMATCH")


async def begin(store: Store, number: int) -> None:
    """Store a session and what happened to it."""
    await store.create(record(number), (change("session.created"),))


async def go_on(store: Store, number: int, version: int, *facts: Fact) -> None:
    """Store the next version of a session with what happened."""
    after = record(number, version=version + 1)
    await store.save(after, expected_version=version, facts=facts)


async def timeline(store: Store, number: int, page: int = MANY) -> list[SessionEvent]:
    """Read a whole timeline in pages of a size."""
    found: list[SessionEvent] = []
    while True:
        after = found[-1].number if found else 0
        entries = await store.list_events(session_id(number), after, page)
        assert len(entries) <= page
        found += entries
        if len(entries) < page:
            return found


async def numbered(store: Store, after: int, page: int = MANY) -> list[NumberedEvent]:
    """Number what is committed, and read all changes after a position in pages of a size."""
    while await store.number_events(page):
        pass
    found: list[NumberedEvent] = []
    while True:
        events = await store.read_events(found[-1].position if found else after, page)
        assert len(events) <= page
        found += events
        if len(events) < page:
            return found


async def newest(store: Store) -> int:
    """Return the newest position."""
    return (await store.event_range())[1]


def told(events: Sequence[NumberedEvent]) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return of which session, version and types some changes are."""
    return [(one.session_id, one.version, one.types) for one in events]


class EventsSuite:
    """Timelines and the order of all changes."""

    async def test_a_timeline_is_as_it_was_written(self, store: Store) -> None:
        """Every fact of a step comes back whole and in order, under the version that the step made."""
        await begin(store, 1)
        await go_on(store, 1, 1, call(), webhook(), change("session.opened", "payment.paid"))
        await store.add_facts(session_id(1), 2, (webhook(Taking.DUPLICATE),))
        entries = await timeline(store, 1)
        assert [(one.version, one.fact) for one in entries] == [
            (1, change("session.created")),
            (2, call()),
            (2, webhook()),
            (2, change("session.opened", "payment.paid")),
            (2, webhook(Taking.DUPLICATE)),
        ]
        assert {one.session_id for one in entries} == {session_id(1)}
        numbers = [one.number for one in entries]
        assert numbers == sorted(set(numbers))

    async def test_a_timeline_is_read_in_parts(self, store: Store) -> None:
        """Pages of any size, even such as end within a step, make up the same timeline."""
        await begin(store, 1)
        for version in range(1, 5):
            await begin(store, 1 + version)
            calls = [call(f"call_{version}_{number}") for number in range(version)]
            await go_on(store, 1, version, *calls, change(attempt=version))
        whole = await timeline(store, 1)
        assert len(whole) == 1 + 2 + 3 + 4 + 5
        for page in range(1, len(whole) + 2):
            assert await timeline(store, 1, page) == whole

    async def test_a_session_without_facts_has_an_empty_timeline(self, store: Store) -> None:
        """What was stored without a word of it, and what was never stored, has no entry."""
        await store.create(record(1))
        await store.save(changed(record(1)), expected_version=1)
        await store.add_facts(session_id(1), 2, ())
        assert await timeline(store, 1) == await timeline(store, 2) == []

    async def test_a_step_that_fails_tells_nothing(self, store: Store) -> None:
        """A conflict, a taken request id and a known event leave neither an entry nor a numbered change."""
        start = await newest(store)
        key = RequestKey("shop", "request-1")
        await store.create(record(1, key), (change("session.created"),))
        await store.save(record(1, key, version=2), expected_version=1, event=event())
        with pytest.raises(RequestIdTaken):
            await store.create(record(2, key), (change("session.created"),))
        with pytest.raises(StoreConflict):
            await go_on(store, 1, 1, change("session.opened"))
        with pytest.raises(EventKnown):
            await store.save(
                record(1, key, version=3),
                expected_version=2,
                event=event(),
                facts=(change("session.opened"),),
            )
        assert [one.fact for one in await timeline(store, 1)] == [change("session.created")]
        assert await timeline(store, 2) == []
        assert len(await numbered(store, start)) == 1

    async def test_changes_are_numbered_in_order(self, store: Store) -> None:
        """Positions grow, and within a session they follow its versions, however sessions alternate."""
        start = await newest(store)
        for number in (1, 2, 3):
            await begin(store, number)
        for version in (1, 2):
            for number in (3, 1, 2):
                await go_on(store, number, version, change(f"type.{version}", "type.other"))
        events = await numbered(store, start)
        assert [one.position for one in events] == sorted({one.position for one in events})
        assert events[0].position > start
        for number in (1, 2, 3):
            own = [one for one in events if one.session_id == session_id(number)]
            assert [(one.version, one.types) for one in own] == [
                (1, ("session.created",)),
                (2, ("type.1", "type.other")),
                (3, ("type.2", "type.other")),
            ]
            assert {one.time for one in own} == {NOW}

    async def test_only_what_callers_can_see_is_numbered(self, store: Store) -> None:
        """A change without types, and facts beside a change, are in the timeline alone."""
        start = await newest(store)
        await begin(store, 1)
        await go_on(store, 1, 1, call(), change())
        await store.add_facts(session_id(1), 2, (webhook(), change("session.opened")))
        assert told(await numbered(store, start)) == [(session_id(1), 1, ("session.created",))]
        assert len(await timeline(store, 1)) == 5

    async def test_numbered_changes_are_read_in_parts(self, store: Store) -> None:
        """Pages of any size make up the same order, also where they are numbered in parts."""
        start = await newest(store)
        for number in range(1, 8):
            await begin(store, number)
        whole = await numbered(store, start, page=2)
        assert len(whole) == 7
        for page in range(1, 9):
            assert await numbered(store, start, page) == whole
        assert await store.read_events(whole[-1].position, MANY) == []

    async def test_the_range_tells_what_can_be_read(self, store: Store) -> None:
        """It is empty before the first change, and ends with the newest position."""
        oldest, last = await store.event_range()
        assert oldest == last + 1
        await begin(store, 1)
        await begin(store, 2)
        first, second = await numbered(store, last)
        assert await store.event_range() == (first.position, second.position)

    async def test_positions_survive_a_restart(self, store: Store, reopen: Reopen) -> None:
        """A cursor goes on where it was, the store is the same one, and new positions are higher."""
        start, own_id = await newest(store), await store.store_id()
        await begin(store, 1)
        before = await numbered(store, start)
        again = await reopen()
        assert await again.store_id() == own_id
        assert await numbered(again, start) == before
        await begin(again, 2)
        (after,) = await numbered(again, before[-1].position)
        assert after.session_id == session_id(2)
        assert len(own_id) == 16

    async def test_a_timeline_goes_with_its_session(self, store: Store) -> None:
        """Deleting a session deletes its timeline and no other; positions are not given again."""
        start = await newest(store)
        await begin(store, 1)
        await begin(store, 2)
        (_, last) = await numbered(store, start)
        assert await store.delete_sessions([record(2)]) == 1
        assert await timeline(store, 2) == []
        assert len(await timeline(store, 1)) == 1
        await begin(store, 3)
        (after,) = await numbered(store, last.position)
        assert (after.session_id, after.position > last.position) == (session_id(3), True)

    async def test_young_positions_are_kept(self, store: Store) -> None:
        """What is not older than asked for stays."""
        start = await newest(store)
        await begin(store, 1)
        before = await numbered(store, start)
        assert await store.forget_positions(NOW, MANY) == 0
        assert await numbered(store, start) == before

    async def test_concurrent_writers_lose_no_change(self, store: Store) -> None:
        """A reader that follows many writers sees every change once, each session's in order."""
        start = await newest(store)
        versions = 4
        numbers = count(1)

        async def write() -> None:
            number = next(numbers)
            await begin(store, number)
            for version in range(1, versions):
                await go_on(store, number, version, change(f"type.{version}"))

        writers = asyncio.gather(*(write() for _ in range(20)))
        seen: list[NumberedEvent] = []
        while not writers.done():
            seen += await numbered(store, seen[-1].position if seen else start, page=7)
            await asyncio.sleep(0)
        await writers
        seen += await numbered(store, seen[-1].position if seen else start)
        for number in range(1, 21):
            own = [one.version for one in seen if one.session_id == session_id(number)]
            assert own == list(range(1, versions + 1))
