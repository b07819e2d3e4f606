"""Following sessions: the snapshot, every change after it, and going on from any place."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from service.core.cursors import Cursor
from service.core.errors import (
    CursorOutOfRange,
    InvalidRequest,
    SessionNotFound,
    ShuttingDown,
    StoreUnavailable,
    TooManyWatchers,
    WatcherTooSlow,
)
from service.core.model import State
from service.core.news import Told
from service.core.watcher import BACKLOG
from tests.core.conftest import Service
from tests.core.following import Watched, names
from tests.core.test_end import opened
from tests.core.test_webhooks import deliver

OPENED = [(1, ("session.created",)), (2, ("session.opened",))]


@pytest.fixture
def watched(service: Service) -> Watched:
    """Return the use case, on a clock that moves for nobody who waits."""
    service.clock.stands_still = True
    return Watched(service)


async def pay(service: Service, session_id: str) -> None:
    """Have a session paid."""
    event = {"session": session_id, "payment": f"p_{session_id}", "status": "PAID"}
    await deliver(service, id=f"e_{session_id}", **event)


async def test_a_watch_begins_with_what_has_not_ended(service: Service, watched: Watched) -> None:
    """The snapshot holds each session that may still change by itself, and a checkpoint closes it."""
    first, second, done = [await opened(service) for _ in range(3)]
    await pay(service, done)
    async with watched.stream() as stream:
        *snapshot, checkpoint = await stream.until_checkpoint()
    assert [told.view.session.session_id for told in snapshot if told.view] == [second, first]
    assert {told.event for told in snapshot} == {None}
    assert checkpoint.cursor.mark == b""


async def test_changes_follow_in_order(service: Service, watched: Watched) -> None:
    """After the snapshot every change is told once, with its version, its types and the session as it is."""
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        session_id = await opened(service)
        await pay(service, session_id)
        told = await stream.changes(3)
    paid = ("payment.paid", "session.completed")
    assert names(told) == [(session_id, *one) for one in [*OPENED, (3, paid)]]
    versions = [one.view.session.version for one in told if one.view]
    assert all(
        version >= at.event.version for version, at in zip(versions, told, strict=True) if at.event
    )
    assert versions[-1] == 3


async def test_one_session_is_told_whatever_its_state(service: Service, watched: Watched) -> None:
    """Whoever follows one session learns how it stands, ended or not, and nothing of others."""
    session_id = await opened(service)
    await pay(service, session_id)
    async with watched.stream(session_id=session_id) as stream:
        found, _ = await stream.until_checkpoint()
        await opened(service)
        refund = {"session": session_id, "payment": f"p_{session_id}", "refund": "r_1"}
        await deliver(service, id="e_refund", **refund)
        (told,) = await stream.changes(1)
    assert found.view
    assert found.view.session.state is State.COMPLETED
    assert told.event
    assert (told.event.session_id, told.event.types) == (session_id, ("payment.refunded",))


async def test_an_unknown_session_is_not_followed(watched: Watched) -> None:
    """There is nothing to wait for where no session has the id."""
    with pytest.raises(SessionNotFound):
        async with watched.stream(session_id="cs_unknown"):
            pass


async def test_conditions_hold_of_snapshot_and_changes(service: Service, watched: Watched) -> None:
    """Sessions of other references are told neither at the beginning nor later."""
    mine = await opened(service, reference_id="mine")
    await opened(service, reference_id="other")
    async with watched.stream(reference_id="mine", provider="scripted", live=False) as stream:
        found, _ = await stream.until_checkpoint()
        await opened(service, reference_id="other")
        again = await opened(service, reference_id="mine")
        told = await stream.until_version(2)
    assert found.view
    assert found.view.session.session_id == mine
    assert {session_id for session_id, _, _ in names(told)} == {again}
    # While it is created its mode is not settled.
    assert {one.view.session.state for one in told if one.view} == {State.OPEN}


async def test_leaving_the_conditions_is_told(service: Service, watched: Watched) -> None:
    """Whoever keeps the open sessions is told of each that comes, changes and goes, and of no other."""
    before = await opened(service)
    async with watched.stream(states=frozenset({State.OPEN})) as stream:
        await stream.until_checkpoint()
        await pay(service, before)
        (gone,) = await stream.changes(1)
        await deliver(service, id="late", session=before, payment="another", status="PAID")
        after = await opened(service)
        (came,) = await stream.changes(1)
    assert (gone.outside, came.outside) == (True, False)
    assert gone.event
    assert came.event
    assert (gone.event.session_id, came.event.session_id) == (before, after)


async def test_reaching_the_conditions_is_told(service: Service, watched: Watched) -> None:
    """Whoever waits for completed sessions hears of nothing before."""
    async with watched.stream(states=frozenset({State.COMPLETED})) as stream:
        (checkpoint,) = await stream.until_checkpoint()
        session_id = await opened(service)
        await pay(service, session_id)
        told = await stream.until_version(3)
    assert checkpoint.view is None
    assert names(told)[-1] == (session_id, 3, ("payment.paid", "session.completed"))
    # What led there may be told with it, as it is told late.
    assert {one.view.session.state for one in told if one.view} == {State.COMPLETED}
    assert not any(one.outside for one in told)


async def test_every_cursor_goes_on_where_it_was(service: Service, watched: Watched) -> None:
    """From the cursor of any message on, exactly the changes after it are told."""
    async with watched.stream() as stream:
        (start,) = await stream.until_checkpoint()
        for _ in range(3):
            await pay(service, await opened(service))
        told = [start, *await stream.changes(9)]
    for number, message in enumerate(told):
        async with watched.stream(cursor=message.cursor.text()) as again:
            *rest, _ = await again.until_checkpoint()
            assert names(rest) == names(told[number + 1 :])


async def test_a_snapshot_goes_on_where_it_was(service: Service, watched: Watched) -> None:
    """A watch that breaks off within the snapshot tells the rest of it, and all that changed meanwhile."""
    oldest, middle, newest = [await opened(service) for _ in range(3)]
    async with watched.stream(provider="scripted") as stream:
        first = await stream.next()
    await pay(service, newest)
    cursor = first.cursor.text()
    async with watched.stream(cursor=cursor, provider="scripted") as stream:
        *rest, _ = await stream.until_checkpoint()
    found = [told.view.session.session_id for told in rest if told.view]
    assert found == [middle, oldest, newest]
    with pytest.raises(InvalidRequest, match="other conditions"):
        async with watched.stream(cursor=cursor, provider="other"):
            pass


async def test_a_long_snapshot_and_a_long_pause(
    service: Service, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into one read is told all the same, each session and change once."""
    monkeypatch.setattr("service.core.watch._PAGE", 2)
    monkeypatch.setattr("service.core.past.BATCH", 2)
    ids = [await opened(service) for _ in range(5)]
    async with watched.stream() as stream:
        *found, checkpoint = await stream.until_checkpoint()
    for session_id in ids:
        await pay(service, session_id)
    async with watched.stream(cursor=checkpoint.cursor.text()) as stream:
        *missed, _ = await stream.until_checkpoint()
    assert [told.view.session.session_id for told in found if told.view] == ids[::-1]
    assert [session_id for session_id, _, _ in names(missed)] == ids


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"store_id": b"another store 16"}, "other_store"),
        ({"position": 10**6}, "ahead"),
    ],
)
async def test_a_cursor_that_leads_nowhere(
    service: Service, watched: Watched, change: dict[str, Any], cause: str
) -> None:
    """A cursor of another store, or of a store that was restored since, is refused and says why."""
    await opened(service)
    kept = {"store_id": await service.store.store_id(), "position": 1, **change}
    with pytest.raises(CursorOutOfRange) as refused:
        async with watched.stream(cursor=Cursor(**kept).text()):
            pass
    assert refused.value.metadata == {"cause": cause}


async def test_those_who_come_back_at_once_share_what_is_read(service: Service) -> None:
    """After a server's end all its watchers come back with much the same cursor: one read serves them."""
    service.clock.stands_still = True
    store = Counted(service.store)
    watched = Watched(service, store)
    async with watched.stream() as stream:
        (begin,) = await stream.until_checkpoint()
        session_id = await opened(service)
        await stream.changes(2)
        wanted = store.found
        cursor = begin.cursor.text()
        told = await asyncio.gather(*(missed(watched, cursor) for _ in range(20)))
    assert [names(one) for one in told] == [[(session_id, *one) for one in OPENED]] * 20
    assert len({id(one[0]) for one in told}) == 1
    assert store.found - wanted == 1


async def missed(watched: Watched, cursor: str) -> list[Told]:
    """Return what a watcher that comes back is told first."""
    async with watched.stream(cursor=cursor) as stream:
        return (await stream.until_checkpoint())[:-1]


async def test_a_slow_reader_is_cut_and_no_other(service: Service, watched: Watched) -> None:
    """Who does not take what is told ends with a reason, and nobody else notices."""
    async with watched.stream() as slow, watched.stream() as quick:
        (checkpoint,) = await slow.until_checkpoint()
        await quick.until_checkpoint()
        slow.watcher.hear([checkpoint] * BACKLOG)
        session_id = await opened(service)
        told = await quick.changes(2)
        with pytest.raises(WatcherTooSlow):
            await slow.next()
    assert names(told) == [(session_id, *one) for one in OPENED]


async def test_checkpoints_come_while_nothing_happens(service: Service, watched: Watched) -> None:
    """A watcher to which nothing is told learns how far everything was looked at, now and then."""
    async with watched.stream(reference_id="mine") as stream:
        (begin,) = await stream.until_checkpoint()
        await opened(service, reference_id="other")
        began = service.clock.time
        service.clock.stands_still = False
        checkpoint = await stream.next()
        while checkpoint.cursor == begin.cursor:
            checkpoint = await stream.next()
    assert checkpoint.view is None
    assert checkpoint.cursor.position > begin.cursor.position
    assert service.clock.time - began <= timedelta(seconds=31)


class Counted:
    """The store, and how often it was asked for changes."""

    def __init__(self, store: object) -> None:
        self._store: Any = store
        self.looks = 0
        self.found = 0
        self.failure: Exception | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def read_events(self, after: int, limit: int) -> object:
        """Count, and fail where told to."""
        self.looks += 1
        if self.failure:
            raise self.failure
        found: object = await self._store.read_events(after, limit)
        return found

    async def find_sessions(self, session_ids: Sequence[str]) -> object:
        """Count the reads of sessions."""
        self.found += 1
        found: object = await self._store.find_sessions(session_ids)
        return found

    async def until(self, looks: int) -> None:
        """Return when it was asked that often."""
        while self.looks < looks:
            await asyncio.sleep(0)


async def test_nobody_looks_where_nobody_watches(service: Service) -> None:
    """The store is asked while a watch is open, and not a moment longer."""
    service.clock.stands_still = True
    store = Counted(service.store)
    watched = Watched(service, store)
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        await store.until(3)
    while watched.feed.is_running:
        await asyncio.sleep(0)
    looks = store.looks
    await opened(service)
    assert looks == store.looks


async def test_a_short_outage_of_the_store_goes_unnoticed(service: Service) -> None:
    """Watchers wait while the store is away for a moment, and miss nothing."""
    service.clock.stands_still = True
    store = Counted(service.store)
    watched = Watched(service, store)
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        store.failure = StoreUnavailable("away")
        await store.until(store.looks + 5)
        session_id = await opened(service)
        store.failure = None
        told = await stream.changes(2)
    assert names(told) == [(session_id, *one) for one in OPENED]
    assert service.observations.events.count("watch.failed") == 1


async def test_a_long_outage_of_the_store_ends_watches(service: Service) -> None:
    """After some seconds watchers are told that the store does not answer, instead of nothing."""
    store = Counted(service.store)
    watched = Watched(service, store)
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        store.failure = StoreUnavailable("away")
        with pytest.raises(StoreUnavailable):
            await stream.next()


async def test_a_fault_ends_watches(service: Service) -> None:
    """Nobody waits for what a fault of ours keeps from coming, and the next watch finds everything well."""
    store = Counted(service.store)
    watched = Watched(service, store)
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        store.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await stream.next()
    store.failure = None
    async with watched.stream() as stream:
        await stream.until_checkpoint()
    assert "watch.broken" in service.observations.events


async def test_the_number_of_watchers_is_limited(service: Service) -> None:
    """One more than may be is refused with the limit, and taken once another has left."""
    watched = Watched(service, limit=1)
    async with watched.stream():
        with pytest.raises(TooManyWatchers) as refused:
            async with watched.stream():
                pass
    assert refused.value.metadata == {"limit": "1"}
    async with watched.stream() as stream:
        await stream.until_checkpoint()


async def test_closing_ends_every_watch(watched: Watched) -> None:
    """A server that stops says so to whoever watches, and to whoever wants to."""
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        watched.watch.close()
        with pytest.raises(ShuttingDown):
            await stream.next()
    with pytest.raises(ShuttingDown):
        async with watched.stream():
            pass
