"""Deleting what is old: when a session goes, and what keeps one."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from service.core.errors import SessionNotFound
from service.core.forgetting import BATCH, Forgetting, is_over
from service.core.model import Dispute, DisputeStatus, PaymentStatus, ProviderLink, State
from service.core.page import provider_link
from service.core.record import Record
from service.core.unmatched import UnmatchedFilter
from service.core.webhooks import Receipt
from tests.core.builders import EXPIRY, SECOND
from tests.core.conftest import RETENTION, Service
from tests.core.test_end import opened
from tests.core.test_webhooks import deliver
from tests.storage.records import HOUR, NOW, record, session_id

ENDED: dict[str, object] = {
    "state": State.EXPIRED,
    "provider_session_id": "ps_1",
    "provider_url": "https://pay.example.com/ps_1",
    "payable_until": NOW,
}


@pytest.mark.parametrize("state", [State.COMPLETED, State.EXPIRED, State.FAILED])
def test_an_ended_session_goes_when_it_is_old(state: State) -> None:
    """Where nothing is left to happen, the time since the last change decides."""
    one = record(**{**ENDED, "state": state})
    assert is_over(one, NOW + SECOND, NOW + HOUR)
    assert not is_over(one, NOW, NOW + HOUR)


@pytest.mark.parametrize(
    "changes",
    [
        *({"state": state} for state in (State.CREATING, State.OPEN, State.UNRESOLVED)),
        {"payment_status": PaymentStatus.PROCESSING},
        {"closing_time": NOW},
        {"payable_until": None},
        {"payable_until": NOW + 2 * HOUR},
        {"disputes": {"d": Dispute(DisputeStatus.OPEN, NOW)}},
    ],
    ids=str,
)
def test_what_may_still_happen_keeps_a_session(changes: dict[str, object]) -> None:
    """A session that is not ended, being paid, to be closed, payable or disputed stays however old it is."""
    assert is_over(record(**ENDED), NOW + SECOND, NOW + HOUR)
    assert not is_over(record(**{**ENDED, **changes}), NOW + SECOND, NOW + HOUR)


def test_a_page_that_is_gone_keeps_no_session() -> None:
    """Once its page is closed, or where none was ever made, a session can go."""
    for changes in ({"link_closed": True}, {"provider_session_id": "", "provider_url": ""}):
        one = record(**{**ENDED, "payable_until": None, **changes})
        assert provider_link(one.session, NOW) in {None, ProviderLink.CLOSED}
        assert is_over(one, NOW + SECOND, NOW + HOUR)


async def test_old_sessions_go_and_others_stay(service: Service) -> None:
    """A session is gone once its time is over, its request id is free again, and news of it is unmatched."""
    first = await opened(service, request_id="r")
    unfinished = await opened(service)
    await deliver(service, id="e1", session=first, payment="p1", status="PAID")
    await deliver(service, id="e2", session=unfinished, payment="p2", status="PROCESSING")
    service.clock.time = EXPIRY + RETENTION - timedelta(days=1)
    await service.forgetting.forget()
    assert (await service.get(first)).session.state is State.COMPLETED
    service.clock.time = NOW + RETENTION + SECOND
    await service.forgetting.forget()
    with pytest.raises(SessionNotFound):
        await service.get(first)
    assert (await service.get(unfinished)).session.payment_status is PaymentStatus.PROCESSING
    assert "retention.sessions_deleted" in service.observations.events
    news = await deliver(service, id="e3", session=first, payment="p1", status="PAID")
    assert news is Receipt.UNMATCHED
    (listed,) = (await service.unmatched(UnmatchedFilter(), 9, "")).payments
    assert listed.facts.session_id == first
    assert await opened(service, request_id="r") != first


async def test_nothing_goes_unless_it_is_wanted(service: Service) -> None:
    """Without a retention sessions are kept for ever."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p1", status="PAID")
    service.clock.time += 100 * RETENTION
    keeping = Forgetting(
        store=service.store, observer=service.observations, clock=service.clock, keep=None
    )
    await keeping.forget()
    assert (await service.get(session_id)).session.state is State.COMPLETED


async def test_what_stays_keeps_nobody_else(service: Service) -> None:
    """More sessions than one batch that stay, however old, do not stand before those that go."""
    for number in range(BATCH + 1):
        await service.store.create(record(number))
    await service.store.create(record(BATCH + 1, **ENDED))
    service.clock.time = NOW + 2 * RETENTION
    await service.forgetting.forget()
    left = await service.store.list_old(service.clock.time, None, 2 * BATCH)
    assert [one.session.state for one in left] == [State.OPEN] * (BATCH + 1)


async def test_creates_come_between(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much is deleted in parts, each stored by itself, and what is created meanwhile waits for no other part."""
    many = range(3 * BATCH)
    await asyncio.gather(*(service.store.create(record(number, **ENDED)) for number in many))
    service.clock.time = NOW + 2 * RETENTION
    pauses, goes_on = asyncio.Semaphore(0), asyncio.Event()

    async def sleep(_delay: timedelta) -> None:
        pauses.release()
        await goes_on.wait()

    monkeypatch.setattr(service.clock, "sleep", sleep)
    task = asyncio.create_task(service.forgetting.forget())
    await pauses.acquire()
    await service.store.create(record(len(many)))
    assert len(await left(service)) == 2 * BATCH + 1
    goes_on.set()
    await task
    assert [one.session.session_id for one in await left(service)] == [session_id(len(many))]


async def left(service: Service) -> Sequence[Record]:
    """Return the sessions that are still there."""
    found: Sequence[Record] = await service.store.list_old(service.clock.time, None, 9 * BATCH)
    return found


async def test_goes_on_when_the_store_was_away(service: Service) -> None:
    """A store that does not answer is told of and waited for, again and again."""
    await service.store.create(record(1, **ENDED))
    service.clock.time = NOW + 2 * RETENTION
    service.store.away = True
    task = asyncio.create_task(service.forgetting.run())
    while "retention.failed" not in service.observations.events:
        await asyncio.sleep(0.001)
    service.store.away = False
    while "retention.sessions_deleted" not in service.observations.events:
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
