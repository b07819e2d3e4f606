"""What FastSpring lists of the past: pages of both lists in turn, each event once, nothing of another time."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import msgspec
import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRejected,
)
from service.core.model import PaymentState
from service.core.ports import PaymentReport, Provider, ProviderEvent
from service.core.window import ListingProvider, Window
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.fastspring.documents import batch, event
from tests.providers.fastspring.shop import BASE, OWN, emulator
from tests.providers.sandbox import NOW, Place
from tests.providers.servers import answer, misbehaving
from tests.providers.suite import build, call_for, settings_for

HOUR = timedelta(hours=1)
WINDOW = Window(NOW - HOUR, NOW + HOUR)


def settings_at(url: str) -> AccountSettings:
    """Return an account at a server."""
    key = Secret(value="password")
    return AccountSettings(provider="fastspring", live=False, base_url=url, api_key=key, own=OWN)


async def everything(provider: Provider, window: Window) -> tuple[list[ProviderEvent], int]:
    """Return what all pages of a window tell, and how many there were."""
    assert isinstance(provider, ListingProvider)
    found: list[ProviderEvent] = []
    for pages in count(1):
        listed = await provider.recent(window)
        found += listed.events
        if not listed.next_page:
            return found, pages
        window = msgspec.structs.replace(window, page=listed.next_page)
    raise AssertionError


def ticking(place: Place) -> Iterator[int]:
    """Let each event of the emulator have a second of its own."""
    seconds = count()
    emulator(place).events._clock = lambda: NOW + timedelta(seconds=next(seconds))
    return seconds


@pytest.mark.parametrize("are_acknowledged", [True, False])
async def test_every_payment_of_a_window_is_told(
    are_acknowledged: bool, fastspring: Provider, place: Place
) -> None:
    """More than a page, acknowledged by somebody or by nobody."""
    ticking(place)
    emulator(place).clock = lambda: NOW + HOUR
    for number in range(30):
        made = await fastspring.create(call_for(BASE, f"cs_{number:026d}"))
        for delivery in emulator(place).pay(made.provider_session_id):
            await delivery.tried.wait()
    for known in emulator(place).events._events.values():
        known.is_processed = are_acknowledged
    found, pages = await everything(fastspring, WINDOW)
    reports = [one.report for one in found]
    assert all(isinstance(report, PaymentReport) for report in reports)
    assert {one.session_id for one in found} == {f"cs_{number:026d}" for number in range(30)}
    assert pages == 2


async def test_a_window_ends_where_it_says(fastspring: Provider, place: Place) -> None:
    """Both of its ends belong to it, and nothing else does."""
    ticking(place)
    emulator(place).clock = lambda: NOW + HOUR
    for _ in range(3):
        emulator(place).pay((await fastspring.create(call_for(BASE))).provider_session_id)
    second = timedelta(seconds=1)
    found, _ = await everything(fastspring, Window(NOW + second, NOW + second))
    assert [one.occurred for one in found] == [NOW + second]


async def test_what_is_no_longer_kept_is_no_trouble(fastspring: Provider) -> None:
    """FastSpring refuses to look back further than 30 days, and has nothing from before."""
    old = NOW - timedelta(days=40)
    assert await everything(fastspring, Window(old, old + HOUR)) == ([], 1)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"error":{"end":"Can not parse end."}}', b'{"error":{"begin":"required"}}']
)
async def test_another_refusal_is_no_empty_list(body: bytes) -> None:
    """A question that FastSpring did not understand is not answered."""
    async with misbehaving(answer(400, body)) as server:
        provider = build(settings_at(server.url))
        with pytest.raises(ProviderRejected):
            await everything(provider, WINDOW)
        await provider.close()


async def test_refused_credentials_are_no_empty_list(place: Place) -> None:
    """Only what is too old reads as nothing."""
    wrong = build(settings_for(place, "fastspring", own=OWN | {"username": "else"}))
    with pytest.raises(ProviderCredentialsRejected):
        await everything(wrong, WINDOW)
    await wrong.close()


async def told_by(*bodies: bytes) -> list[ProviderEvent]:
    """Return what a server's lists come to."""
    async with misbehaving(*(answer(200, body) for body in bodies)) as server:
        provider = build(settings_at(server.url))
        try:
            found, _ = await everything(provider, WINDOW)
        finally:
            await provider.close()
    return found


async def test_an_event_in_both_lists_is_told_once() -> None:
    """It was acknowledged between the two requests."""
    body = batch(event("order_completed"))
    (found,) = await told_by(body, body)
    assert isinstance(found.report, PaymentReport)
    assert found.report.status is PaymentState.PAID


async def test_what_cannot_be_read_hides_nothing_else() -> None:
    """Each broken event says so for itself."""
    broken = event("order_completed") | {"data": {}}
    first, second, third = await told_by(batch(broken, "nonsense"), batch(event("order_completed")))
    assert all(one.unreadable and one.report is None for one in (first, second))
    assert isinstance(third.report, PaymentReport)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"events":5}'])
async def test_a_list_of_another_shape_is_no_list(body: bytes) -> None:
    """Nothing is concluded from it."""
    with pytest.raises(ProviderError) as caught:
        await told_by(body)
    assert isinstance(caught.value, ProviderOutcomeUnknown)


async def test_pages_that_lead_nowhere_end() -> None:
    """A list that says there is more and never moves on is not asked for ever."""
    listed = msgspec.json.decode(batch(event("order_completed")))
    stuck = msgspec.json.encode(listed | {"more": True})
    assert len(await told_by(stuck, stuck, stuck, stuck)) == 1
