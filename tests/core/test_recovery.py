"""What becomes of an attempt whose process died: taken over by lease and number, never created twice."""

import asyncio

import pytest

from service.core import errors
from service.core.model import State, UnknownOutcomeStrategy
from service.core.record import AttemptOutcome
from tests.core.builders import EXPIRY, SECOND, request
from tests.core.conftest import Service
from tests.core.lives import AFTER, killed, swept


async def test_a_live_lease_is_left_alone(service: Service) -> None:
    """As long as the lease lasts, the attempt may still be answered."""
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER - SECOND
    assert record == await swept(service, record.session.session_id)


async def test_the_callers_retry_creates_again(service: Service) -> None:
    """Where an orphan ends by itself, a retry makes a new attempt on the same session."""
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    again = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    assert (record.session.session_id, State.OPEN) == (
        again.session.session_id,
        again.session.state,
    )
    assert len(service.provider.calls) == 2


async def test_recovery_never_creates(service: Service) -> None:
    """The sweep takes a lost attempt over and leaves creating to the caller's retry, or to its end."""
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    taken = await swept(service, record.session.session_id)
    assert (
        taken.session.state,
        taken.attempt.outcome,
        taken.attempt.number,
    ) == (State.CREATING, AttemptOutcome.UNKNOWN, 2)
    assert len(service.provider.calls) == 1
    service.clock.time = EXPIRY
    assert State.FAILED is (await swept(service, record.session.session_id)).session.state


@pytest.mark.parametrize("how", [UnknownOutcomeStrategy.RECREATE, UnknownOutcomeStrategy.REPLAY])
async def test_without_request_id_it_is_closed(
    service: Service, how: UnknownOutcomeStrategy
) -> None:
    """Nobody holds the page's address and nobody can ask again: the session fails."""
    service.provider.how_to_repeat = how
    record = await killed(service)
    service.clock.time = AFTER
    assert State.FAILED is (await swept(service, record.session.session_id)).session.state
    assert len(service.provider.calls) == 1


@pytest.mark.parametrize("request_id", ["r1", ""])
async def test_what_may_have_charged_is_never_repeated(service: Service, request_id: str) -> None:
    """A call that may have charged leaves the session unresolved, whoever asks."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.NEVER
    record = await killed(service, request_id=request_id)
    service.clock.time = AFTER
    assert State.UNRESOLVED is (await swept(service, record.session.session_id)).session.state
    assert len(service.provider.calls) == 1


async def test_a_stored_body_is_sent_again_byte_for_byte(service: Service) -> None:
    """Where the provider honours a key, recovery asks again with the body and key of the first attempt."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    record = await killed(service, request_id="r1", success_url="")
    assert record.prepared
    service.clock.time = AFTER
    opened = await swept(service, record.session.session_id)
    assert State.OPEN is opened.session.state
    first, second = service.provider.calls
    assert record.prepared.body == first.body == second.body
    again = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    assert (True, opened.session) == (again.replayed, again.session)


async def test_the_retry_replays_without_waiting_for_the_sweep(service: Service) -> None:
    """A caller who comes back first gets the session of the first attempt."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    await killed(service, request_id="r1")
    service.clock.time = AFTER
    again = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    assert State.OPEN is again.session.state
    first, second = service.provider.calls
    assert first.body == second.body


async def test_unanswered_replay_stays_for_the_next_retry(service: Service) -> None:
    """When the provider still does not answer, the session waits for somebody to ask again."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    service.provider.script = [errors.ProviderOutcomeUnknown("time-out")]
    taken = await swept(service, record.session.session_id)
    assert (taken.session.state, taken.attempt.outcome) == (State.CREATING, AttemptOutcome.UNKNOWN)
    again = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    assert State.OPEN is again.session.state
    assert len({call.body for call in service.provider.calls}) == 1


async def test_a_late_answer_of_a_superseded_attempt_is_an_orphan(service: Service) -> None:
    """Only the current attempt's answer opens the session; an earlier one is kept in sight."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    slow = asyncio.create_task(
        service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    )
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.clock.time = AFTER
    again = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    assert again.session.provider_session_id == "ps_2"
    gate.set()
    late = (await slow).session
    assert late.provider_session_id == "ps_2"
    assert [warning.code for warning in late.warnings] == ["ORPHANED_ATTEMPT"]
    found = await service.store.find_by_reference("scripted", "default", ["session:ps_1"])
    assert found
    assert late.session_id == found.session.session_id


async def test_a_superseded_attempt_does_not_answer_for_the_current_one(service: Service) -> None:
    """While the current attempt runs, the caller of an earlier one is told to come back, not given no page."""
    first, second = asyncio.Event(), asyncio.Event()
    service.provider.script = [first, second]
    callers = []
    for number in (1, 2):
        call = service.create(request(request_id="r1"), caller="anonymous", deadline=None)
        callers.append(asyncio.create_task(call))
        while len(service.provider.calls) < number:
            await asyncio.sleep(0)
        service.clock.time = AFTER
    first.set()
    with pytest.raises(errors.RequestInFlight):
        await callers[0]
    second.set()
    opened = (await callers[1]).session
    assert (opened.state, opened.provider_session_id) == (State.OPEN, "ps_2")


async def test_two_that_take_over_at_once(service: Service) -> None:
    """Two retries and the sweep at once end in one session and one more call."""
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    retries = [
        service.create(request(request_id="r1"), caller="anonymous", deadline=None)
        for _ in range(3)
    ]
    results = await asyncio.gather(service.sweep.sweep(), *retries, return_exceptions=True)
    in_flight = [result for result in results if isinstance(result, errors.RequestInFlight)]
    failed = [result for result in results if isinstance(result, Exception)]
    assert in_flight == failed
    assert len(service.provider.calls) == 2
    view = await service.get(record.session.session_id)
    assert State.OPEN is view.session.state


async def test_who_loses_the_race_leaves_the_winners_attempt_alone(service: Service) -> None:
    """A take-over that comes too late neither repeats nor disturbs the attempt that runs by then."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    gate = asyncio.Event()
    service.provider.script = [gate]
    winner = asyncio.create_task(service.sweep._recovery.recover(record))
    while len(service.provider.calls) < 2:
        await asyncio.sleep(0)
    seen = await service.sweep._recovery.recover(record)
    assert (len(service.provider.calls), seen.attempt.number) == (2, 2)
    gate.set()
    assert State.OPEN is (await winner).session.state
