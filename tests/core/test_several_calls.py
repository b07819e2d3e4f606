"""A create of several calls: each provider id is committed before the next call, and the create resumes there."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from service.core import errors
from service.core.create import LEASE
from service.core.model import (
    PaymentState,
    ProviderLink,
    SessionWarning,
    State,
    UnknownOutcomeStrategy,
)
from service.core.page import provider_link
from service.core.ports import SearchingProvider, Step
from service.core.record import AttemptOutcome
from tests.core.builders import EXPIRY, NOW, SECOND, request
from tests.core.conftest import Service
from tests.core.lives import AFTER, killed, restarted, step, stored, swept

NEVER = UnknownOutcomeStrategy.NEVER


@pytest.fixture(autouse=True)
def searching(service: Service) -> None:
    """Let the first call be one that is searched for, at a provider that can end what it made."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.SEARCH
    service.provider.capabilities = structs.replace(service.provider.capabilities, cancel=True)
    assert isinstance(service.provider, SearchingProvider)


async def create(service: Service, **asked: object) -> str:
    """Create a session and return its id."""
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def failing(service: Service, **asked: object) -> errors.CheckoutError:
    """Return the error a create ends with."""
    with pytest.raises(errors.CheckoutError) as caught:
        await create(service, **asked)
    return caught.value


async def test_goes_on_until_the_page_is_made(service: Service) -> None:
    """The next call carries what the one before kept, and the last one's answer opens the session."""
    service.provider.script = [
        step(1),
        structs.replace(step(1), kept={"invoice": "inv_1", "n": "2"}),
    ]
    session_id = await create(service, request_id="r1")
    kept = [call.kept for call in service.provider.calls]
    assert kept == [{}, {"invoice": "inv_1"}, {"invoice": "inv_1", "n": "2"}]
    opened = await stored(service, session_id)
    assert (opened.session.state, opened.session.provider_session_id) == (State.OPEN, "inv_1")
    assert opened.session.provider_details == {"invoice": {"id": "inv_1"}}
    assert (opened.attempt.number, opened.prepared) == (1, None)
    assert service.observations.events == ["session.created", "session.opened"]


async def test_what_was_made_is_durable_before_the_next_call(service: Service) -> None:
    """While the second call runs the store holds the first one's id, and its events find the session."""
    service.provider.script = [step()]
    left = await killed(service, calls=2, request_id="r1")
    assert (left.attempt.kept, left.attempt.strategy) == (
        {"invoice": "inv_1"},
        UnknownOutcomeStrategy.RECREATE,
    )
    for reference in ("session:inv_1", "order:1"):
        found = await service.store.find_by_reference("scripted", "default", [reference])
        assert left == found
    view = await service.get(left.session.session_id)
    assert (view.session.state, view.session.provider_session_id) == (State.CREATING, "inv_1")
    assert ProviderLink.UNKNOWN is provider_link(view.session, view.now)


@pytest.mark.parametrize("is_swept", [False, True], ids=["retry first", "sweep first"])
async def test_the_next_process_resumes(service: Service, is_swept: bool) -> None:
    """After a crash the caller's retry goes on from what was kept, and recovery itself makes nothing."""
    service.provider.script = [step()]
    left = await killed(service, calls=2, request_id="r1")
    again = await restarted(service)
    again.clock.time = AFTER
    if is_swept:
        taken = await swept(again, left.session.session_id)
        assert (taken.session.state, taken.attempt.kept) == (State.CREATING, left.attempt.kept)
    assert len(again.provider.calls) == 2
    assert left.session.session_id == await create(again, request_id="r1")
    assert again.provider.calls[-1].kept == {"invoice": "inv_1"}
    opened = await stored(again, left.session.session_id)
    assert (opened.session.state, opened.session.provider_session_id) == (State.OPEN, "inv_1")
    assert (len(again.provider.calls), again.provider.searched) == (3, [])


@pytest.mark.parametrize(
    "error",
    [errors.ProviderOutcomeUnknown("time-out"), errors.ProviderUnavailable("refused")],
    ids=["lost", "unsent"],
)
async def test_a_retry_resumes_after_an_error(
    service: Service, error: errors.ProviderError
) -> None:
    """An error of the second call keeps the first one's id, through every further failure."""
    service.provider.script = [step(), error, error]
    for _ in range(2):
        assert error.reason == (await failing(service, request_id="r1")).reason
    session_id = await create(service, request_id="r1")
    assert [call.kept for call in service.provider.calls[1:]] == [{"invoice": "inv_1"}] * 3
    assert (await stored(service, session_id)).session.provider_session_id == "inv_1"


async def test_each_call_has_a_lease_of_its_own(service: Service) -> None:
    """The lease begins anew with each step, so that no call outlives it."""
    gate = asyncio.Event()
    service.provider.script = [(gate, step())]
    running = asyncio.create_task(killed(service, calls=2, request_id="r1"))
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.clock.time = AFTER - SECOND
    gate.set()
    assert (await running).attempt.lease_until == AFTER - SECOND + LEASE


async def test_the_callers_deadline_does_not_stop_what_was_begun(service: Service) -> None:
    """Only the first call is bounded by how long the caller waits for a connection."""
    service.provider.script = [step()]
    await service.create(request(), caller="anonymous", deadline=timedelta(seconds=5))
    first, second = service.provider.calls
    assert (first.connect_within is None, second.connect_within) == (False, None)


@pytest.mark.parametrize("request_id", ["r1", ""])
async def test_a_last_call_that_may_charge_is_never_repeated(
    service: Service, request_id: str
) -> None:
    """Where the step says so, a lost second call leaves the session unresolved, with its id to read it by."""
    service.provider.script = [step(1, NEVER), errors.ProviderOutcomeUnknown("time-out")]
    lost = await failing(service, request_id=request_id)
    assert lost.reason == "PROVIDER_OUTCOME_UNRESOLVED"
    view = await service.get(lost.metadata["session_id"], refresh=True)
    assert service.provider.read == [("inv_1", {"invoice": {"id": "inv_1"}})]
    assert State.COMPLETED is view.session.state


async def test_a_crash_in_a_call_that_may_charge(service: Service) -> None:
    """The sweep leaves it unresolved; ExpireSession ends it, at the provider too."""
    service.provider.script = [step(1, NEVER)]
    left = await killed(service, calls=2, request_id="r1")
    service.clock.time = AFTER
    taken = await swept(service, left.session.session_id)
    assert State.UNRESOLVED is taken.session.state
    assert (await failing(service, request_id="r1")).reason == "PROVIDER_OUTCOME_UNRESOLVED"
    ended = (await service.expire(left.session.session_id)).session
    assert (ended.state, ended.link_closed, service.provider.cancelled) == (
        State.EXPIRED,
        True,
        ["inv_1"],
    )


async def test_expiring_an_unfinished_session_closes_what_was_made(service: Service) -> None:
    """ExpireSession ends at the provider what a broken create has left there, and says so only when it is so."""
    service.provider.script = [step(), errors.ProviderOutcomeUnknown("time-out")]
    service.provider.closings = [errors.ProviderUnavailable("refused")]
    session_id = (await failing(service, request_id="r1")).metadata["session_id"]
    view = await service.expire(session_id)
    assert ProviderLink.STILL_PAYABLE is provider_link(view.session, view.now)
    service.clock.time += timedelta(minutes=1)
    closed = await swept(service, session_id)
    assert ProviderLink.CLOSED is provider_link(closed.session, service.clock.time)
    assert service.provider.cancelled == ["inv_1", "inv_1"]


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderRejected("not pending"),
        errors.ProviderUnavailable("refused"),
        errors.ProviderOutcomeUnknown("time-out"),
    ],
    ids=lambda error: error.reason,
)
async def test_what_a_failed_create_made_is_closed(
    service: Service, error: errors.ProviderError
) -> None:
    """A create without request id that breaks off after a step fails, and its rest is ended at the provider."""
    service.provider.script = [step(), error]
    session_id = (await failing(service)).metadata["session_id"]
    failed = await stored(service, session_id)
    assert (failed.session.state, failed.session.closing_time) == (State.FAILED, NOW)
    closed = await swept(service, session_id)
    assert (closed.session.state, closed.session.link_closed) == (State.FAILED, True)
    assert service.provider.cancelled == ["inv_1"]


async def test_what_was_there_before_outlives_a_failed_create(service: Service) -> None:
    """What the caller named was not made here: a failed create leaves it, and only ending the session ends it."""
    named = structs.replace(step(), preexisting=True)
    service.provider.script = [named, errors.ProviderRejected("no"), named]
    session_id = (await failing(service)).metadata["session_id"]
    left = (await stored(service, session_id)).session
    assert (left.state, left.closing_time) == (State.FAILED, None)
    assert ProviderLink.STILL_PAYABLE is provider_link(left, NOW)
    await service.expire(await create(service))
    assert service.provider.cancelled == ["inv_1"]


async def test_what_nobody_comes_back_for_is_closed(service: Service) -> None:
    """An unfinished session whose time has come fails, and what it left is ended."""
    service.provider.script = [
        structs.replace(step(), payable_until=EXPIRY + timedelta(hours=1)),
        errors.ProviderOutcomeUnknown("time-out"),
    ]
    session_id = (await failing(service, request_id="r1")).metadata["session_id"]
    service.clock.time = EXPIRY
    assert State.FAILED is (await swept(service, session_id)).session.state
    assert (await swept(service, session_id)).session.link_closed
    assert service.provider.cancelled == ["inv_1"]


async def test_a_superseded_attempt_goes_no_further(service: Service) -> None:
    """A step of an attempt that was taken over is kept in sight as an orphan, ended, and followed by no create."""
    gate = asyncio.Event()
    service.provider.script = [(gate, step(9))]
    slow = asyncio.create_task(create(service, request_id="r1"))
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.clock.time = AFTER
    session_id = await create(service, request_id="r1")
    gate.set()
    assert session_id == await slow
    session = (await stored(service, session_id)).session
    assert session.provider_session_id == "ps_2"
    assert [warning.code for warning in session.warnings] == ["ORPHANED_ATTEMPT"]
    assert len(service.provider.calls) == 2
    assert await service.background.drain(timedelta(seconds=60))
    assert service.provider.cancelled == ["inv_9"]
    found = await service.store.find_by_reference("scripted", "default", ["session:inv_9"])
    assert found
    assert session_id == found.session.session_id


async def test_a_step_the_store_cannot_take_is_followed_by_no_call(service: Service) -> None:
    """Nothing more is made before what was made is durable; once it is, the create goes on from there."""
    gate = asyncio.Event()
    service.provider.script = [(gate, step())]
    running = asyncio.create_task(create(service, request_id="r1"))
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.store.away = True
    gate.set()
    with pytest.raises(errors.StoreUnavailable) as caught:
        await running
    assert len(service.provider.calls) == 1
    service.store.away = False
    assert await service.background.drain(timedelta(seconds=60))
    kept = await stored(service, caught.value.metadata["session_id"])
    assert (kept.attempt.kept, kept.attempt.outcome) == (
        {"invoice": "inv_1"},
        AttemptOutcome.IN_FLIGHT,
    )
    again = await restarted(service)
    again.clock.time += LEASE
    await create(again, request_id="r1")
    assert [call.kept for call in service.provider.calls] == [{}, {"invoice": "inv_1"}]


async def test_paid_between_two_calls(service: Service) -> None:
    """Where the first id is known to be paid by the time it is stored, no page is made for it."""
    paid = Step(
        provider_session_id="inv_1", kept={"invoice": "inv_1"}, strategy=NEVER, authorised=True
    )
    service.provider.script = [paid]
    session = (await stored(service, await create(service, request_id="r1"))).session
    assert (session.state, len(service.provider.calls)) == (State.COMPLETED, 1)


async def test_warnings_of_a_step_outlive_a_retry(service: Service) -> None:
    """What the provider said of the first call is on the session, and a shortened wish is said once."""
    said = structs.replace(step(), warnings=[SessionWarning("PROVIDER_SAID")])
    service.provider.script = [said, errors.ProviderUnavailable("refused")]
    wish = timedelta(hours=24, seconds=30)
    session_id = (await failing(service, request_id="r1", ttl=wish)).metadata["session_id"]
    await create(service, request_id="r1", ttl=wish)
    warnings = (await stored(service, session_id)).session.warnings
    assert sorted(warning.code for warning in warnings) == ["EXPIRY_CLAMPED", "PROVIDER_SAID"]


async def test_money_at_what_a_failed_create_left(service: Service) -> None:
    """A payment found while closing what a failed create left stays in sight."""
    service.provider.script = [step(), errors.ProviderRejected("no")]
    session_id = (await failing(service, request_id="r1")).metadata["session_id"]
    view = await service.get(session_id, refresh=True)
    assert (view.session.state, [p.status for p in view.session.payments]) == (
        State.FAILED,
        [PaymentState.PAID],
    )
