"""What Square's list of payments tells, page by page, with the orders behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from service.core.errors import ProviderOutcomeUnknown
from service.core.model import RESERVED_METADATA_KEY, Money, PaymentState
from service.core.ports import PaymentReport
from service.core.window import Listed, ListingProvider, Window
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.servers import Behaviour, Misbehaving, answer, misbehaving

UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(UNTIL - timedelta(hours=1), UNTIL)
SINCE, TO = "2026-03-01T11:00:00.000000Z", "2026-03-01T12:00:00.000000Z"
SESSION_ID = "cs_01JNW8G3Z0000000000SQUARE0"
ORDER = {"id": "o1", "location_id": "L1", "metadata": {RESERVED_METADATA_KEY: SESSION_ID}}


def json(body: object) -> Behaviour:
    """Return the behaviour of answering with a JSON body."""
    return answer(200, msgspec.json.encode(body))


def paid(number: int = 1, **changes: object) -> dict[str, object]:
    """Return a payment as it is listed."""
    made: dict[str, object] = {
        "id": f"p{number}",
        "status": "COMPLETED",
        "order_id": f"o{number}",
        "location_id": "L1",
        "created_at": "2026-03-01T11:30:00Z",
        "amount_money": {"amount": 1999, "currency": "USD"},
        "total_money": {"amount": 1999, "currency": "USD"},
    }
    return made | changes


@asynccontextmanager
async def seller(
    *behaviours: Behaviour, **own: str
) -> AsyncIterator[tuple[ListingProvider, Misbehaving]]:
    """Run a server that behaves so, and an account at it."""
    async with misbehaving(*behaviours) as server:
        settings = AccountSettings(
            provider="square",
            live=False,
            base_url=server.url,
            api_key=Secret(value="token"),
            own={"location_id": "L1", "currency": "USD", **own},
        )
        provider = build_provider(settings, chance=lambda: 0.0, observe=lambda *_: None)
        assert isinstance(provider, ListingProvider)
        try:
            yield provider, server
        finally:
            await provider.close()


async def listed(window: Window, *behaviours: Behaviour) -> tuple[Listed, Misbehaving]:
    """List a page at a server that behaves so."""
    async with seller(*behaviours) as (provider, server):
        return await provider.recent(window), server


def query(sent: bytes) -> dict[str, str]:
    """Return the query of a request."""
    parts = urlsplit(sent.split()[1].decode())
    assert parts.path == "/v2/payments"
    return {name: value for name, (value,) in parse_qs(parts.query).items()}


COMMON = {"location_id": "L1", "sort_order": "ASC", "limit": "100"}


@pytest.mark.parametrize(
    ("own", "times"),
    [
        (
            {},
            {
                "updated_at_begin_time": SINCE,
                "updated_at_end_time": TO,
                "sort_field": "UPDATED_AT",
            },
        ),
        ({"call": "checkouts"}, {"begin_time": SINCE, "end_time": TO}),
        ({"api_version": "2024-01-18"}, {"begin_time": SINCE, "end_time": TO}),
    ],
)
async def test_a_window_is_asked_for_as_the_version_allows(
    own: dict[str, str], times: dict[str, str]
) -> None:
    """The newest version lists what changed, refunds included; older ones list what was made."""
    async with seller(json({}), **own) as (provider, server):
        page = await provider.recent(WINDOW)
    assert query(server.requests[0]) == {**COMMON, **times}
    assert (len(server.requests), list(page.events), page.next_page) == (1, [], "")


async def test_pages_go_on_by_cursor() -> None:
    """A page names the next one, which is asked for with everything else unchanged."""
    page, server = await listed(
        msgspec.structs.replace(WINDOW, page="c/1"),
        json({"payments": [paid(1), paid(2)], "cursor": "c/2"}),
        json({"orders": [ORDER]}),
    )
    assert query(server.requests[0])["cursor"] == "c/1"
    assert page.next_page == "c/2"


async def test_the_orders_of_a_page_are_one_question() -> None:
    """Each payment comes with what its order says of us; other sales have nothing."""
    page, server = await listed(
        WINDOW,
        json({"payments": [paid(1), paid(2), paid(3, order_id="o1"), paid(4, order_id=None)]}),
        json({"orders": [ORDER, {"id": "o2"}]}),
    )
    assert server.requests[1].startswith(b"POST /v2/orders/batch-retrieve")
    assert msgspec.json.decode(server.requests[1].partition(b"\r\n\r\n")[2]) == {
        "order_ids": ["o1", "o2"]
    }
    assert len(server.requests) == 2
    assert [event.session_id for event in page.events] == [SESSION_ID, "", SESSION_ID, ""]
    assert [event.references for event in page.events] == [
        ("order:o1", "payment:p1"),
        ("order:o2", "payment:p2"),
        ("order:o1", "payment:p3"),
        ("payment:p4",),
    ]


async def test_an_order_that_lags_behind_its_payment_is_no_error() -> None:
    """An order that cannot be seen yet leaves its payment without our id, and with its own."""
    page, _ = await listed(WINDOW, json({"payments": [paid()]}), json({}))
    (event,) = page.events
    assert (event.session_id, event.references[0]) == ("", "order:o1")


async def test_refunds_of_our_payments_are_read() -> None:
    """What was returned is part of the news; other sales' refunds are not asked for."""
    refund = {
        "id": "r1",
        "status": "COMPLETED",
        "payment_id": "p1",
        "amount_money": {"amount": 500, "currency": "USD"},
    }
    page, server = await listed(
        WINDOW,
        json({"payments": [paid(1, refund_ids=["r1"]), paid(2, refund_ids=["r2"])]}),
        json({"orders": [ORDER]}),
        json({"refund": refund}),
    )
    first, second = (event.report for event in page.events)
    assert isinstance(first, PaymentReport)
    assert isinstance(second, PaymentReport)
    assert (first.refunds, second.refunds) == ({"r1": Money(500, "USD")}, {})
    assert len(server.requests) == 3


async def test_one_malformed_payment_hides_no_other() -> None:
    """A payment that cannot be read says so, and those beside it are read."""
    page, _ = await listed(
        WINDOW, json({"payments": [{"id": 7}, paid()]}), json({"orders": [ORDER]})
    )
    first, second = page.events
    assert first.report is None
    assert "status" in first.unreadable or "id" in first.unreadable
    assert second.session_id == SESSION_ID


async def test_what_is_no_list_is_an_error() -> None:
    """An answer that is no list proves nothing about payments."""
    with pytest.raises(ProviderOutcomeUnknown):
        await listed(WINDOW, json({"payments": {}}))


async def test_a_payment_is_read_again() -> None:
    """An undecided payment is asked about by its id, whichever call made its page."""
    async with seller(
        json({"payments": [paid(status="APPROVED")]}),
        json({"orders": [ORDER]}),
        json({"payment": paid()}),
        call="checkouts",
    ) as (provider, server):
        (event,) = (await provider.recent(WINDOW)).events
        whole = await provider.whole(event)
    assert server.requests[2].split()[1] == b"/v2/payments/p1"
    assert isinstance(event.report, PaymentReport)
    assert isinstance(whole.report, PaymentReport)
    assert [event.report.status, whole.report.status] == [
        PaymentState.PROCESSING,
        PaymentState.PAID,
    ]
    assert whole.session_id == SESSION_ID
