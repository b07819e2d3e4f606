"""Ending: by time, on request, and what a payment afterwards does."""

import asyncio
from datetime import timedelta

import pytest

from service.core import errors
from service.core.events import Cause
from service.core.model import PaymentState, PaymentStatus, ProviderLink, State
from service.core.page import provider_link
from tests.core.builders import EXPIRY, NOW, SECOND, request
from tests.core.conftest import Service
from tests.core.test_webhooks import deliver


async def opened(service: Service, **asked: object) -> str:
    """Create a session and return its id."""
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def test_expire_ends_the_session_now(service: Service) -> None:
    """Ending a session is stored at once, is said honestly of the provider's page, and may be repeated."""
    session_id = await opened(service)
    service.clock.time = NOW + SECOND
    first = await service.expire(session_id)
    assert (first.session.state, first.session.end_time) == (State.EXPIRED, NOW + SECOND)
    assert ProviderLink.STILL_PAYABLE is provider_link(first.session, first.now)
    service.clock.time = NOW + 2 * SECOND
    assert first.session == (await service.expire(session_id)).session


async def test_expire_refuses_what_cannot_end(service: Service) -> None:
    """A paid session, one being paid, one being created and an unknown one cannot be ended."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p", status="PROCESSING")
    with pytest.raises(errors.PaymentInProgress):
        await service.expire(session_id)
    await deliver(service, id="e2", session=session_id, payment="p", status="PAID")
    with pytest.raises(errors.SessionCompleted):
        await service.expire(session_id)
    with pytest.raises(errors.SessionNotFound):
        await service.expire("cs_unknown")


async def test_expire_waits_for_creation(service: Service) -> None:
    """While an attempt holds its lease the session cannot be ended; once it is lost, it can."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(opened(service))
    while not service.provider.calls:
        await asyncio.sleep(0)
    session_id = service.provider.calls[0].session_id
    with pytest.raises(errors.RequestInFlight):
        await service.expire(session_id)
    service.clock.time = NOW + timedelta(seconds=61)
    assert State.EXPIRED is (await service.expire(session_id)).session.state
    gate.set()
    await running
    view = await service.get(session_id)
    assert (view.session.state, view.session.provider_session_id) == (State.EXPIRED, "ps_1")


async def test_sweep_records_what_reads_already_say(service: Service) -> None:
    """An overdue session reads as expired at once; the sweep stores it, and touches nothing else."""
    session_id = await opened(service, ttl=timedelta(hours=1))
    other = await opened(service)
    service.clock.time = NOW + timedelta(hours=1)
    assert State.EXPIRED is (await service.get(session_id)).session.state
    assert await service.sweep.sweep() == 1
    stored = await service.store.find(session_id)
    assert stored
    assert (State.EXPIRED, NOW + timedelta(hours=1)) == (
        stored.session.state,
        stored.session.end_time,
    )
    assert State.OPEN is (await service.get(other)).session.state
    assert await service.sweep.sweep() == 0


async def test_sweep_closes_a_creation_nobody_finished(service: Service) -> None:
    """A session whose creation was never resolved fails when its time is over."""
    service.provider.script = [errors.ProviderOutcomeUnknown("reset")]
    with pytest.raises(errors.ProviderOutcomeUnknown):
        await opened(service, request_id="r1")
    service.clock.time = EXPIRY
    assert await service.sweep.sweep() == 1
    view = await service.get(service.provider.calls[0].session_id)
    assert State.FAILED is view.session.state


async def test_sweep_runs_until_cancelled_and_survives_a_lost_store(service: Service) -> None:
    """The sweep goes on by itself, pausing between rounds."""
    session_id = await opened(service)
    service.clock.time = EXPIRY
    task = asyncio.create_task(service.sweep.run())
    while "session.expired" not in service.observations.events:
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert State.EXPIRED is (await service.get(session_id)).session.state


async def test_payment_beats_expiry_when_it_was_in_time(service: Service) -> None:
    """A webhook that comes after the sweep completes the session when the buyer paid before its end."""
    session_id = await opened(service)
    service.clock.time = EXPIRY + SECOND
    await service.sweep.sweep()
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    view = await service.get(session_id)
    assert (view.session.state, view.session.complete_time) == (State.COMPLETED, NOW)


async def test_payment_after_expire_request_is_late(service: Service) -> None:
    """Money that arrives for a session somebody ended stays visible and moves nothing."""
    session_id = await opened(service)
    service.clock.time = NOW - SECOND
    await service.expire(session_id)
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    view = await service.get(session_id)
    assert (
        view.session.state,
        view.session.payment_status,
    ) == (State.EXPIRED, PaymentStatus.PAID)
    assert [(p.late, p.status) for p in view.session.payments] == [(True, PaymentState.PAID)]
    assert "payment.late" in service.observations.events


async def test_sweep_does_many_at_once(service: Service) -> None:
    """More sessions than are worked on at once are all expired, each once, and what fails is told afterwards."""
    ids = [await opened(service, ttl=timedelta(hours=1)) for _ in range(120)]
    service.clock.time = NOW + timedelta(hours=1)
    service.store.away = True
    with pytest.raises(errors.StoreUnavailable):
        await service.sweep.sweep()
    service.store.away = False
    assert await service.sweep.sweep() == len(ids)
    assert service.observations.events.count("session.expired") == len(ids)
    assert await service.sweep.sweep() == 0


async def test_sweep_decides_again_what_changed_meanwhile(service: Service) -> None:
    """Of a set, what was paid or deleted before the write is left as it is, and the rest is expired and told."""
    ids = [await opened(service, ttl=timedelta(hours=1)) for _ in range(4)]
    service.clock.time = NOW + timedelta(hours=1)
    save_each, paid, gone = service.store.save_each, ids[1], ids[2]

    async def overtaken(changes: object) -> object:
        await deliver(service, id="e1", session=paid, payment="p", status="PAID")
        assert await service.store.delete_sessions([await service.store.find(gone)]) == 1
        return await save_each(changes)

    service.store.save_each = overtaken
    await service.sweep.sweep()
    records = [await service.store.find(session_id) for session_id in ids]
    assert [record and record.session.state for record in records] == [
        State.EXPIRED,
        State.COMPLETED,
        None,
        State.EXPIRED,
    ]
    assert service.observations.events.count("session.expired") == 2
    for session_id in (ids[0], ids[3]):
        *_, last = (await service.events(session_id, 0, "")).events
        assert getattr(last.fact, "cause", None) is Cause.TIME_PASSED
