"""Reading: pages that do not shift, and tokens that fit one question only."""

import pytest

from service.core.errors import InvalidRequest, SessionNotFound
from service.core.model import PaymentStatus, State
from service.core.query import ListFilter
from tests.core.builders import EXPIRY, SECOND, request
from tests.core.conftest import Service


async def create(service: Service, count: int, **asked: object) -> list[str]:
    """Create sessions a second apart and return their ids, oldest first."""
    made = []
    for _ in range(count):
        service.clock.time += SECOND
        result = await service.create(request(**asked), caller="anonymous", deadline=None)
        made.append(result.session.session_id)
    return made


async def test_pages_are_stable_under_inserts(service: Service) -> None:
    """New sessions neither repeat nor hide older ones between two pages."""
    ids = await create(service, 5)
    first = await service.list(ListFilter(), 2, "")
    await create(service, 2)
    second = await service.list(ListFilter(), 2, first.next_page_token)
    third = await service.list(ListFilter(), 2, second.next_page_token)
    seen = [s.session_id for page in (first, second, third) for s in page.sessions]
    assert list(reversed(ids)) == seen
    assert third.next_page_token == ""


async def test_token_is_bound_to_its_conditions(service: Service) -> None:
    """A token of another question, a changed token and nonsense are refused by name."""
    await create(service, 3)
    token = (await service.list(ListFilter(), 1, "")).next_page_token
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    for conditions, bad in [
        (ListFilter(provider="scripted"), token),
        (ListFilter(), flipped),
        (ListFilter(), "nonsense!"),
        (ListFilter(), "é"),
    ]:
        with pytest.raises(InvalidRequest) as caught:
            await service.list(conditions, 1, bad)
        assert [v.field for v in caught.value.violations] == ["page_token"]


async def test_pages_of_several_states(service: Service) -> None:
    """Conditions that hold several values have pages too."""
    ids = await create(service, 2)
    several = ListFilter(
        states=frozenset(State),
        payment_statuses=frozenset({PaymentStatus.UNPAID, PaymentStatus.PAID}),
    )
    first = await service.list(several, 1, "")
    second = await service.list(several, 1, first.next_page_token)
    assert list(reversed(ids)) == [s.session_id for p in (first, second) for s in p.sessions]


async def test_overdue_sessions_are_listed_as_expired(service: Service) -> None:
    """A listing derives the state as a read does, before any sweep."""
    await create(service, 1)
    service.clock.time = EXPIRY + SECOND
    expired = await service.list(ListFilter(states=frozenset({State.EXPIRED})), 0, "")
    assert [s.state for s in expired.sessions] == [State.EXPIRED]
    still_open = await service.list(ListFilter(states=frozenset({State.OPEN})), 0, "")
    assert still_open.sessions == ()


async def test_filters_hold_together(service: Service) -> None:
    """Conditions narrow the listing, each by what it names."""
    (first,) = await create(service, 1, reference_id="order-1", metadata={"team": "a"})
    await create(service, 1, reference_id="order-2")
    by_reference = await service.list(ListFilter(reference_id="order-1"), 0, "")
    assert [first] == [s.session_id for s in by_reference.sessions]
    assert (await service.list(ListFilter(live=True), 0, "")).sessions == ()


async def test_unknown_session(service: Service) -> None:
    """An id nobody has is an error that names it."""
    with pytest.raises(SessionNotFound) as caught:
        await service.get("cs_unknown")
    assert caught.value.metadata == {"session_id": "cs_unknown"}
