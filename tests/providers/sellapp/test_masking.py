"""Nothing personal and no secret leaves through logs or errors; failed exchanges are told for what they are."""

import logging

import msgspec
import pytest
from structlog.testing import capture_logs

from service.core.errors import ProviderError, ProviderOutcomeUnknown, ProviderRejected
from service.core.model import Customer
from service.core.ports import Provider, SearchingProvider
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.sandbox import NOW
from tests.providers.sellapp.documents import SHOP, STORE, call, fixture, invoice_with
from tests.providers.servers import Behaviour, answer, hang_up, misbehaving

CANARIES = ("canary1@example.com", "198.51.100.77", "CANARY3")
KEY = "canary-key"
ASKED = msgspec.structs.replace(
    SHOP, customer=Customer(email=CANARIES[0], ip_address=CANARIES[1], tax_id=CANARIES[2])
)
ECHO = " / ".join((*CANARIES, KEY))


def json(status: int, body: object) -> Behaviour:
    """Return the behaviour of answering with JSON."""
    return answer(status, msgspec.json.encode(body))


def refusal(status: int) -> Behaviour:
    """Return the behaviour of refusing with everything that was sent."""
    errors = {"customer_email": [ECHO], "coupon": [ECHO]}
    return json(status, {"message": ECHO, "code": ECHO, "param": ECHO, "errors": errors})


def built(url: str) -> Provider:
    """Return an adapter of an account at an address."""
    account = AccountSettings(
        provider="sellapp", live=False, base_url=url, api_key=Secret(value=KEY), own=STORE
    )
    return build_provider(account, chance=lambda: 0.0, observe=lambda *_: None)


BEHAVIOURS = {
    "422": refusal(422),
    "401": refusal(401),
    "403": refusal(403),
    "429": refusal(429),
    "500": refusal(500),
    "502 page": answer(502, f"<html>{ECHO}".encode()),
    "201 page": answer(201, f"<html>{ECHO}".encode()),
    "302": answer(302, b"", f"Location: https://x.example/?{KEY}"),
    "201 of another shape": json(201, {"data": {"id": {ECHO: 1}}}),
    "201 with an odd amount": json(201, {"data": invoice_with(full_price=ECHO)}),
    "hung up": hang_up,
}


@pytest.mark.parametrize("case", BEHAVIOURS)
async def test_no_canary_gets_out(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failing exchange that echoes everything leaves no trace of it in logs and errors."""
    caplog.set_level(logging.DEBUG)
    async with misbehaving(BEHAVIOURS[case], BEHAVIOURS[case]) as server:
        provider = built(server.url)
        with capture_logs() as logs, pytest.raises(ProviderError) as caught:
            await provider.create(call(ASKED))
        await provider.close()
    assert all(canary.encode() in server.requests[0] for canary in CANARIES)
    error = caught.value
    said = f"{logs} {caplog.text} {error} {vars(error)} {error.__cause__}"
    assert [canary for canary in (*CANARIES, KEY) if canary.lower() in said.lower()] == []
    assert logs[-1]["event"].startswith("provider.request_")


async def test_key_and_store_go_with_every_call() -> None:
    """Without the store another one would be used, without an error."""
    async with misbehaving(json(201, {"data": invoice_with()})) as server:
        provider = built(server.url)
        await provider.create(call())
        await provider.close()
    sent = server.requests[0].decode().lower()
    for header in (
        f"authorization: bearer {KEY}",
        "x-store: demo-store",
        "accept: application/json",
    ):
        assert header in sent


@pytest.mark.parametrize(
    ("kept", "tries"), [({"invoice_id": "1"}, 3), ({"invoice_id": "1", "may_be_free": "true"}, 1)]
)
async def test_a_lost_checkout_is_repeated_unless_it_may_be_free(
    kept: dict[str, str], tries: int
) -> None:
    """SellApp hands the same page out again; what may be free ends the purchase."""
    async with misbehaving(*([hang_up] * tries)) as server:
        provider = built(server.url)
        with pytest.raises(ProviderOutcomeUnknown):
            await provider.create(call(kept=kept))
        await provider.close()
    assert len(server.requests) == tries
    assert server.requests[0].startswith(b"POST /v2/invoices/1/checkout ")
    assert server.requests[0].endswith(b"\r\n\r\n")


async def test_a_lost_invoice_is_never_repeated() -> None:
    """There is no key: a second call would make a second invoice."""
    async with misbehaving(hang_up) as server:
        provider = built(server.url)
        with pytest.raises(ProviderOutcomeUnknown):
            await provider.create(call())
        await provider.close()
    assert len(server.requests) == 1


async def test_a_page_elsewhere_is_not_handed_out() -> None:
    """An address that is no page is an answer that cannot be used."""
    body = fixture("checkout") | {"payment_url": "http://pay.example/x"}
    async with misbehaving(json(201, body)) as server:
        provider = built(server.url)
        with pytest.raises(ProviderOutcomeUnknown) as caught:
            await provider.create(call(kept={"invoice_id": "1"}))
        await provider.close()
    assert caught.value.metadata["cause"] == "foreign_checkout_url"


async def test_an_endless_list_is_not_searched_for_ever() -> None:
    """What cannot be told stays unknown, and nothing is made."""
    page = {"data": [invoice_with(created_at="2026-03-01T12:00:00.000000Z")] * 100}
    async with misbehaving(*([json(200, page)] * 10)) as server:
        provider = built(server.url)
        assert isinstance(provider, SearchingProvider)
        with pytest.raises(ProviderOutcomeUnknown) as caught:
            await provider.search(call(ASKED), NOW)
        await provider.close()
    assert caught.value.metadata["cause"] == "too_many_invoices"
    assert b"email=canary1@example.com&sort=-created_at&limit=100&page=10" in server.requests[-1]


async def test_ids_cannot_leave_their_path() -> None:
    """What stands in a path is quoted."""
    async with misbehaving(json(404, {"message": "No."})) as server:
        provider = built(server.url)
        with pytest.raises(ProviderRejected):
            await provider.retrieve("1/../../account")
        await provider.close()
    assert server.requests[0].startswith(b"GET /v2/invoices/1%2F..%2F..%2Faccount ")
