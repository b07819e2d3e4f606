"""Accounts that list nothing and can be asked about a session: what no webhook told is found by asking."""

from datetime import timedelta

from service.core.errors import ProviderRejected, ProviderUnavailable
from service.core.model import PaymentState, PaymentStatus, State
from service.core.ports import ProviderSession
from tests.core.builders import NOW, payment
from tests.core.conftest import Service
from tests.core.looking import HOUR, MINUTE, look, opened, read


async def test_unpaid_sessions_are_asked_about(service: Service) -> None:
    """A payment no webhook told of is found by asking, soon at first and then more rarely."""
    session_id = await opened(service)
    service.provider.answer = ProviderSession(provider_session_id="ps_1")
    await look(service, timedelta(0))
    await look(service, times=20)
    # After 1, 2, 4, 8 and 16 minutes.
    assert service.provider.retrieved == 5
    service.provider.answer = None
    await look(service, times=20)
    assert (await read(service, session_id)).state is State.COMPLETED
    await look(service, HOUR, times=3)
    assert service.provider.retrieved == 6
    assert service.observations.events.count("reconcile.found") == 1


async def test_a_404_ends_no_session(service: Service) -> None:
    """A provider that does not know a session says nothing of money, and is asked as rarely as any."""
    session_id = await opened(service)
    service.provider.answer = ProviderRejected("gone", metadata={"provider_status": "404"})
    await look(service, timedelta(0))
    await look(service, times=20)
    assert service.provider.retrieved == 5
    assert (await read(service, session_id)).state is State.OPEN


async def test_an_expired_session_is_asked_about_once_more(service: Service) -> None:
    """A payment of the last minute counts; expiry was recorded on time, and did not wait for it."""
    session_id = await opened(service, ttl=10 * MINUTE)
    service.provider.answer = ProviderSession(provider_session_id="ps_1")
    await look(service, timedelta(0))
    await look(service, times=11)
    assert (await read(service, session_id)).state is State.EXPIRED
    report = payment(PaymentState.PAID, at=NOW + 9 * MINUTE)
    service.provider.answer = ProviderSession(provider_session_id="ps_1", payments=[report])
    await look(service, times=20)
    assert (await read(service, session_id)).state is State.COMPLETED


async def test_nobody_asks_once_no_page_is_left(service: Service) -> None:
    """An unpaid session is asked about until an hour after its page, and never again."""
    await opened(service)
    service.provider.answer = ProviderSession(provider_session_id="ps_1")
    await look(service, timedelta(0))
    await look(service, HOUR, times=26)
    asked = service.provider.retrieved
    await look(service, HOUR, times=10)
    assert service.provider.retrieved == asked


async def test_a_payment_in_progress_is_asked_about_for_as_long_as_it_takes(
    service: Service,
) -> None:
    """An undecided payment has no end but the provider's word."""
    session_id = await opened(service)
    report = payment(PaymentState.PROCESSING)
    service.provider.answer = ProviderSession(provider_session_id="ps_1", payments=[report])
    await look(service, timedelta(0))
    await look(service, 12 * HOUR, times=20)
    assert (await read(service, session_id)).payment_status is PaymentStatus.PROCESSING
    service.provider.answer = None
    await look(service, HOUR, times=2)
    assert (await read(service, session_id)).state is State.COMPLETED


async def test_a_look_asks_no_more_than_its_share(service: Service) -> None:
    """Fifty questions are a look's; who was asked longest ago is asked first."""
    for _ in range(60):
        await opened(service)
    service.provider.answer = ProviderSession(provider_session_id="ps_1")
    await look(service, timedelta(0))
    await look(service)
    assert service.provider.retrieved == 50
    await look(service, MINUTE / 2)
    assert service.provider.retrieved == 60


async def test_a_provider_that_is_down_is_asked_once_a_look(service: Service) -> None:
    """The first question shows that nobody answers; the others wait."""
    for _ in range(3):
        await opened(service)
    service.provider.answer = ProviderUnavailable("down")
    await look(service, timedelta(0))
    await look(service)
    assert service.provider.retrieved == 1
    assert service.observations.events.count("reconcile.failed") == 1
