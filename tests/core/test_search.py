"""A lost create is looked for at the provider: one find is adopted, none makes way, several are nobody's."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from service.core import errors
from service.core.model import State, UnknownOutcomeStrategy
from service.core.record import AttemptOutcome
from service.core.search import CLOCK_SKEW
from tests.core.builders import NOW, request
from tests.core.conftest import Service
from tests.core.lives import AFTER, killed, restarted, step, stored, swept

LOST = errors.ProviderOutcomeUnknown("time-out")
NEVER = UnknownOutcomeStrategy.NEVER


@pytest.fixture(autouse=True)
def searching(service: Service) -> None:
    """Let a lost create be searched for, at a provider that can end what it made."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.SEARCH
    service.provider.capabilities = structs.replace(service.provider.capabilities, cancel=True)


async def create(service: Service, request_id: str = "r1", **asked: object) -> str:
    """Create a session and return its id."""
    asked["request_id"] = request_id
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def failing(service: Service, request_id: str = "r1") -> errors.CheckoutError:
    """Return the error a create ends with."""
    with pytest.raises(errors.CheckoutError) as caught:
        await create(service, request_id)
    return caught.value


async def lost(service: Service) -> str:
    """Lose the answer to a create and return the session's id."""
    service.provider.script.append(LOST)
    return (await failing(service)).metadata["session_id"]


async def test_nothing_found_makes_way(service: Service) -> None:
    """The retry looks first, for anything made since the session began, and then creates."""
    session_id = await lost(service)
    service.clock.time += timedelta(minutes=5)
    assert session_id == await create(service)
    ((call, since),) = service.provider.searched
    assert (call.session_id, call.request.cart, since) == (
        session_id,
        request().cart,
        NOW - CLOCK_SKEW,
    )
    assert [call.attempt for call in service.provider.calls] == [1, 2]


async def test_one_find_is_adopted(service: Service) -> None:
    """What the lost call made is what the session goes on with: nothing is made twice."""
    session_id = await lost(service)
    service.provider.held = [step()]
    assert session_id == await create(service)
    assert service.provider.calls[-1].kept == {"invoice": "inv_1"}
    opened = await stored(service, session_id)
    assert (opened.session.state, opened.session.provider_session_id) == (State.OPEN, "inv_1")
    found = await service.store.find_by_reference("scripted", "default", ["order:1"])
    assert found == opened


async def test_several_finds_leave_it_unresolved(service: Service) -> None:
    """Nobody can tell which one is ours; whichever is paid counts for the session."""
    session_id = await lost(service)
    service.provider.held = [step(1), step(2)]
    for _ in range(2):
        error = await failing(service)
        assert error.reason == "PROVIDER_OUTCOME_UNRESOLVED"
        assert session_id == error.metadata["session_id"]
    left = await stored(service, session_id)
    assert (left.session.state, left.attempt.outcome) == (State.UNRESOLVED, AttemptOutcome.UNKNOWN)
    assert (len(service.provider.searched), len(service.provider.calls)) == (1, 1)
    for reference in ("session:inv_1", "session:inv_2"):
        found = await service.store.find_by_reference("scripted", "default", [reference])
        assert found == left


async def test_what_belongs_to_another_session_is_no_find(service: Service) -> None:
    """The same buyer's other session is not taken from it."""
    service.provider.script = [step(1)]
    other = await create(service, "other")
    session_id = await lost(service)
    service.provider.held = [step(1)]
    assert session_id == await create(service)
    assert service.provider.calls[-1].kept == {}
    assert (await stored(service, other)).session.provider_session_id == "inv_1"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.ProviderUnavailable("refused"), "PROVIDER_UNAVAILABLE"),
        (errors.ProviderOutcomeUnknown("time-out"), "PROVIDER_OUTCOME_UNKNOWN"),
        (errors.ProviderRejected("no such filter"), "PROVIDER_OUTCOME_UNKNOWN"),
    ],
    ids=lambda value: getattr(value, "reason", ""),
)
async def test_a_provider_that_cannot_be_searched(
    service: Service, error: errors.ProviderError, reason: str
) -> None:
    """While nobody can look, nothing is created and the outcome stays unknown: the next retry looks again."""
    session_id = await lost(service)
    before = await stored(service, session_id)
    service.provider.held = error
    told = await failing(service)
    assert (told.reason, told.metadata["session_id"]) == (reason, session_id)
    assert before == await stored(service, session_id)
    service.provider.held = [step()]
    assert session_id == await create(service)
    assert (len(service.provider.searched), len(service.provider.calls)) == (2, 2)


async def test_nothing_sent_is_nothing_to_look_for(service: Service) -> None:
    """After a call that never left, a retry creates at once."""
    service.provider.script = [errors.ProviderUnavailable("refused")]
    await failing(service)
    await create(service)
    assert service.provider.searched == []


async def test_retries_at_once_make_one_session(service: Service) -> None:
    """Callers that look at the same time do not create at the same time."""
    await lost(service)
    retries = [create(service) for _ in range(3)]
    results = await asyncio.gather(*retries, return_exceptions=True)
    in_flight = [result for result in results if isinstance(result, errors.RequestInFlight)]
    assert in_flight == [result for result in results if isinstance(result, Exception)]
    assert len(service.provider.calls) == 2


async def test_the_deadline_bounds_the_search(service: Service) -> None:
    """A caller whose time is up while the provider is searched is told so, and the work goes on."""
    session_id = await lost(service)
    gate = asyncio.Event()
    look = service.provider.search

    async def slow(*asked: object) -> object:
        await gate.wait()
        return await look(*asked)  # type: ignore[arg-type]

    service.provider.search = slow  # type: ignore[method-assign,assignment]
    again = service.create(
        request(request_id="r1"), caller="anonymous", deadline=timedelta(seconds=0.15)
    )
    with pytest.raises(errors.DeadlineSpent):
        await again
    gate.set()
    assert await service.background.drain(timedelta(seconds=60))
    assert State.OPEN is (await stored(service, session_id)).session.state


@pytest.mark.parametrize("finds", [0, 1])
async def test_recovery_looks_and_never_creates(service: Service, finds: int) -> None:
    """After a crash the sweep learns what was made; the caller's retry goes on with it, or creates."""
    left = await killed(service, request_id="r1")
    assert left.prepared
    again = await restarted(service)
    again.clock.time = AFTER
    again.provider.held = [step(number + 1) for number in range(finds)]
    taken = await swept(again, left.session.session_id)
    assert (taken.session.state, taken.attempt.outcome, taken.attempt.number) == (
        State.CREATING,
        AttemptOutcome.UNKNOWN,
        2,
    )
    assert ({"invoice": "inv_1"} if finds else {}) == taken.attempt.kept
    assert len(again.provider.calls) == 1
    assert left.session.session_id == await create(again)
    assert [call.kept for call in again.provider.calls] == [{}, taken.attempt.kept]


@pytest.mark.parametrize("request_id", ["r1", ""])
async def test_recovery_that_finds_several(service: Service, request_id: str) -> None:
    """After a crash several finds are nobody's, whether somebody can ask again or not."""
    left = await killed(service, request_id=request_id)
    again = await restarted(service)
    again.clock.time = AFTER
    again.provider.held = [step(1), step(2)]
    assert State.UNRESOLVED is (await swept(again, left.session.session_id)).session.state


async def test_recovery_closes_what_nobody_can_ask_for(service: Service) -> None:
    """Without request id the session fails, and what the dead process made is ended at the provider."""
    left = await killed(service)
    again = await restarted(service)
    again.clock.time = AFTER
    again.provider.held = [step(1, NEVER)]
    failed = (await swept(again, left.session.session_id)).session
    assert (failed.state, failed.provider_session_id, failed.link_closed) == (
        State.FAILED,
        "inv_1",
        False,
    )
    assert (await swept(again, left.session.session_id)).session.link_closed
    assert (again.provider.cancelled, len(again.provider.calls)) == (["inv_1"], 1)


@pytest.mark.parametrize(
    ("request_id", "state"), [("r1", State.CREATING), ("", State.FAILED)], ids=["key", "no key"]
)
async def test_recovery_while_the_provider_is_down(
    service: Service, request_id: str, state: State
) -> None:
    """Where the provider cannot be searched, the outcome stays unknown to whoever can ask again."""
    left = await killed(service, request_id=request_id)
    again = await restarted(service)
    again.clock.time = AFTER
    again.provider.held = errors.ProviderUnavailable("refused")
    taken = await swept(again, left.session.session_id)
    assert (state, AttemptOutcome.UNKNOWN) == (taken.session.state, taken.attempt.outcome)
    assert "attempt.recovery_failed" in again.observations.events


async def test_the_retry_looks_without_waiting_for_the_sweep(service: Service) -> None:
    """A caller who comes back first takes over, and gets the session of the dead process."""
    left = await killed(service, request_id="r1")
    again = await restarted(service)
    again.clock.time = AFTER
    again.provider.held = [step()]
    assert left.session.session_id == await create(again)
    assert again.provider.calls[-1].kept == {"invoice": "inv_1"}
    assert len(again.provider.searched) == 1


async def test_a_search_that_was_overtaken_changes_nothing(service: Service) -> None:
    """What a retry made while the sweep was still looking stands."""
    left = await killed(service, request_id="r1")
    service.clock.time = AFTER
    gate = asyncio.Event()
    look = service.provider.search

    async def slow(*asked: object) -> object:
        if not service.provider.searched:
            service.provider.searched.append(asked)  # type: ignore[arg-type]
            await gate.wait()
            return [step(7), step(8)]
        return await look(*asked)  # type: ignore[arg-type]

    service.provider.search = slow  # type: ignore[method-assign,assignment]
    looking = asyncio.create_task(service.sweep._recovery.recover(left))
    while not service.provider.searched:
        await asyncio.sleep(0)
    service.clock.time = AFTER + timedelta(minutes=2)
    assert left.session.session_id == await create(service)
    gate.set()
    assert State.OPEN is (await looking).session.state
