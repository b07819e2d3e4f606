"""Closing the provider's page: after the end is stored, verified, and tried again until it is."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from msgspec import structs

from service.core import errors
from service.core.closing import AGAIN_AFTER
from service.core.due import Claimed
from service.core.model import PaymentState, ProviderLink, Session, State
from service.core.page import provider_link
from service.core.ports import Closing
from tests.core.builders import EXPIRY, NOW, SECOND, payment, request
from tests.core.conftest import Service


@pytest.fixture
def closing(service: Service) -> Service:
    """Return the service with a provider that can end its sessions."""
    capabilities = structs.replace(service.provider.capabilities, cancel=True)
    service.provider.capabilities = capabilities
    return service


async def opened(service: Service, **asked: object) -> str:
    """Create a session and return its id."""
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def swept(service: Service, session_id: str) -> Session:
    """Sweep once, wait for what that started, and return the session."""
    await service.sweep.sweep()
    while service.background._tasks:
        await asyncio.gather(*service.background._tasks)
    return (await service.get(session_id)).session


async def test_expire_closes_the_page(closing: Service) -> None:
    """The answer to ExpireSession says that the page is closed."""
    session_id = await opened(closing)
    view = await closing.expire(session_id)
    assert (view.session.state, view.session.link_closed) == (State.EXPIRED, True)
    assert ProviderLink.CLOSED is provider_link(view.session, view.now)
    assert closing.provider.cancelled == ["ps_1"]
    await closing.expire(session_id)
    assert closing.provider.cancelled == ["ps_1"]


@pytest.mark.parametrize(
    "first", [Closing(closed=False), errors.ProviderOutcomeUnknown("time-out")], ids=["no", "error"]
)
async def test_unverified_closing_is_repeated(
    closing: Service, first: Closing | errors.ProviderError
) -> None:
    """Until the page is known to be closed it is said to be payable, and the provider is asked again."""
    closing.provider.closings = [first]
    session_id = await opened(closing)
    view = await closing.expire(session_id)
    assert ProviderLink.STILL_PAYABLE is provider_link(view.session, view.now)
    assert not (await swept(closing, session_id)).link_closed
    closing.clock.time += AGAIN_AFTER
    assert (await swept(closing, session_id)).link_closed
    assert closing.provider.cancelled == ["ps_1", "ps_1"]


async def test_a_page_whose_session_ran_out_is_closed(closing: Service) -> None:
    """The sweep expires a session that is due and then closes its page."""
    session_id = await opened(closing, ttl=timedelta(hours=1))
    closing.clock.time = NOW + timedelta(hours=1)
    assert State.EXPIRED is (await swept(closing, session_id)).state
    assert (await swept(closing, session_id)).link_closed


async def test_nothing_is_asked_once_the_page_is_dead(closing: Service) -> None:
    """A page that has outlived itself needs no closing."""
    session_id = await opened(closing)
    closing.clock.time = EXPIRY + SECOND
    await swept(closing, session_id)
    session = await swept(closing, session_id)
    assert (
        session.state,
        session.closing_time,
        closing.provider.cancelled,
    ) == (State.EXPIRED, None, [])


async def test_a_payment_found_while_closing_wins(closing: Service) -> None:
    """When the provider says it was paid in time, the session is completed and not expired."""
    paid = payment(PaymentState.PAID, at=NOW)
    closing.provider.closings = [Closing(closed=True, payments=[paid])]
    session_id = await opened(closing)
    closing.clock.time = NOW + SECOND
    with pytest.raises(errors.SessionCompleted):
        await closing.expire(session_id)
    assert State.COMPLETED is (await closing.get(session_id)).session.state


async def test_the_end_is_stored_before_the_provider_is_asked(closing: Service) -> None:
    """A provider that cannot be reached does not keep a session from ending."""
    closing.provider.closings = [errors.ProviderUnavailable("refused")]
    session_id = await opened(closing)
    view = await closing.expire(session_id)
    assert State.EXPIRED is view.session.state
    assert "session.close_failed" in closing.observations.events


async def test_a_session_that_was_completed_since_is_not_due_for_ever(closing: Service) -> None:
    """What was to be closed and was paid in time after all leaves the sweep nothing to do."""
    closing.provider.closings = [Closing(closed=False)]
    session_id = await opened(closing, ttl=timedelta(minutes=10))
    await closing.expire(session_id)
    body = {"id": "e", "session": session_id, "payment": "p", "status": "PAID"}
    await closing.webhook("scripted", "default", {"signature": "good"}, msgspec.json.encode(body))
    assert State.COMPLETED is (await closing.get(session_id)).session.state
    closing.clock.time += AGAIN_AFTER
    assert (await swept(closing, session_id)).closing_time is None
    now = closing.clock.now()
    assert await closing.store.claim_due(now, now, 10) == Claimed(records=[])
    assert closing.provider.cancelled == ["ps_1"]
