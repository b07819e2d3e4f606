"""What Dodo's list of payments tells, page by page."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from service.core.errors import ProviderOutcomeUnknown
from service.core.model import RESERVED_METADATA_KEY, Money, PaymentState
from service.core.ports import PaymentReport, ProviderEvent
from service.core.window import Listed, ListingProvider, Window
from service.providers.dodo.listing import PAGE_SIZE
from service.providers.registry import build_provider
from tests.providers.dodo.documents import SESSION_ID, data_of
from tests.providers.dodo.test_adapter import account, json
from tests.providers.servers import Behaviour, Misbehaving, misbehaving

UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(UNTIL - timedelta(hours=1), UNTIL)
OURS = {RESERVED_METADATA_KEY: SESSION_ID}


def item(number: int = 1, **changes: object) -> dict[str, object]:
    """Return a listed payment with every field that Dodo documents as required."""
    made: dict[str, object] = {
        "brand_id": "bus_1",
        "created_at": "2026-03-01T11:30:00Z",
        "currency": "USD",
        "customer": {"customer_id": "cus_1", "email": "ada@example.com", "name": "Ada"},
        "digital_products_delivered": False,
        "has_license_key": False,
        "metadata": OURS,
        "payment_id": f"pay_{number}",
        "status": "succeeded",
        "total_amount": 1999,
    }
    return made | changes


async def listed(window: Window, *behaviours: Behaviour) -> tuple[Listed, Misbehaving]:
    """List a page at a server that behaves so."""
    async with misbehaving(*behaviours) as server:
        provider = build_provider(account(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        assert isinstance(provider, ListingProvider)
        try:
            return await provider.recent(window), server
        finally:
            await provider.close()


async def read(event: ProviderEvent, *behaviours: Behaviour) -> tuple[ProviderEvent, Misbehaving]:
    """Read a listed payment whole at a server that behaves so."""
    async with misbehaving(*behaviours) as server:
        provider = build_provider(account(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        assert isinstance(provider, ListingProvider)
        try:
            return await provider.whole(event), server
        finally:
            await provider.close()


def asked(server: Misbehaving) -> dict[str, str]:
    """Return the query of the one request."""
    (sent,) = server.requests
    query = urlsplit(sent.split()[1].decode()).query
    return {name: value for name, (value,) in parse_qs(query).items()}


async def test_a_window_is_asked_for_in_full_pages() -> None:
    """The first page is number 0, and a full one names the next."""
    page, server = await listed(WINDOW, json({"items": [item(n) for n in range(PAGE_SIZE)]}))
    assert asked(server) == {
        "created_at_gte": "2026-03-01T11:00:00.000000Z",
        "created_at_lte": "2026-03-01T12:00:00.000000Z",
        "page_size": "100",
        "page_number": "0",
    }
    assert (len(page.events), page.next_page) == (PAGE_SIZE, "1")


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1])
async def test_a_page_that_is_not_full_is_the_last(count: int) -> None:
    """Nothing more is asked after it, also where it is empty."""
    window = msgspec.structs.replace(WINDOW, page="4")
    page, server = await listed(window, json({"items": [item(n) for n in range(count)]}))
    assert asked(server)["page_number"] == "4"
    assert (len(page.events), page.next_page) == (count, "")


async def test_a_payment_is_told_in_short() -> None:
    """A list tells enough to see what is new; the rest is asked for."""
    page, _ = await listed(WINDOW, json({"items": [item()]}))
    (event,) = page.events
    assert event == ProviderEvent(
        event_id="pay_1:succeeded",
        event_type="listed",
        occurred=datetime(2026, 3, 1, 11, 30, tzinfo=UTC),
        session_id=SESSION_ID,
        references=("payment:pay_1",),
        report=PaymentReport(
            payment_id="pay_1",
            status=PaymentState.PAID,
            amount=Money(1999, "USD"),
            payment_time=datetime(2026, 3, 1, 11, 30, tzinfo=UTC),
        ),
        is_hint=True,
    )


@pytest.mark.parametrize("status", [None, "requires_payment_method"])
async def test_an_attempt_that_may_still_pay_is_told_of(status: str | None) -> None:
    """A buyer who is still on the page has said nothing, and may do so later under the same id."""
    page, _ = await listed(WINDOW, json({"items": [item(status=status)]}))
    (event,) = page.events
    assert (event.report, event.is_hint, event.session_id) == (None, False, SESSION_ID)
    assert event.references == ("payment:pay_1",)


async def test_other_sales_of_the_account_are_left_out() -> None:
    """Payments without our id are nobody's here, whatever they look like."""
    others = [item(metadata={}), item(metadata=None), {"payment_id": 7}, 7]
    page, _ = await listed(WINDOW, json({"items": others}))
    assert page.events == []


async def test_one_malformed_payment_hides_no_other() -> None:
    """A payment of ours that cannot be read says so, and those beside it are read."""
    page, _ = await listed(WINDOW, json({"items": [item(1, total_amount="much"), item(2)]}))
    first, second = page.events
    assert (first.session_id, first.report) == (SESSION_ID, None)
    assert "total_amount" in first.unreadable
    assert second.report is not None


@pytest.mark.parametrize("body", [{}, {"items": None}, [item()], "no"])
async def test_what_is_no_list_is_an_error(body: object) -> None:
    """An answer without a list proves nothing about payments."""
    with pytest.raises(ProviderOutcomeUnknown):
        await listed(WINDOW, json(body))


async def test_a_payment_is_read_whole() -> None:
    """What a webhook would have told is asked for by the payment's id."""
    page, _ = await listed(WINDOW, json({"items": [item(payment_id="pay/1")]}))
    data = data_of("payment_succeeded", metadata=OURS)
    whole, server = await read(page.events[0], json(data))
    assert server.requests[0].split()[1] == b"/payments/pay%2F1"
    assert isinstance(whole.report, PaymentReport)
    assert (whole.is_hint, whole.session_id) == (False, SESSION_ID)
    assert whole.report.totals is not None
    assert any(reference.startswith("session:") for reference in whole.references)


async def test_a_renewal_is_no_payment_of_the_session() -> None:
    """A renewal carries our id and was made on no page: read whole, it reports nothing."""
    page, _ = await listed(WINDOW, json({"items": [item(subscription_id="sub_1")]}))
    data = data_of(
        "payment_succeeded", metadata=OURS, subscription_id="sub_1", checkout_session_id=None
    )
    whole, _ = await read(page.events[0], json(data))
    assert whole.report is None
