"""The Clover adapter's calls, where the emulator cannot show it."""

import logging
import re

import msgspec
import pytest
from google.protobuf import json_format
from structlog.testing import capture_logs

from checkout.v1 import provider_options_pb2
from service.core.errors import ProviderError, ProviderOutcomeUnknown, ProviderRateLimited
from service.core.model import Customer
from service.core.ports import Provider
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.clover.documents import call, document, request
from tests.providers.servers import Behaviour, Misbehaving, answer, hang_up, misbehaving

KEY = "canary-key"
CANARIES = {
    "email": "canary1@example.com",
    "first_name": "Canary2",
    "last_name": "Canary3",
    "phone_number": "+14155550104",
}
ECHO = " / ".join((*CANARIES.values(), KEY))
ASKED = request(customer=msgspec.convert(CANARIES, Customer))


def built(url: str) -> Provider:
    """Return an adapter of an account at an address."""
    account = AccountSettings(
        provider="clover",
        live=False,
        base_url=f"{url}/",
        api_key=Secret(value=KEY),
        own={"merchant_id": "FKKVS5QZVMS41", "currency": "USD"},
    )
    return build_provider(account, chance=lambda: 0.0, observe=lambda *_: None)


async def failed(behaviour: Behaviour) -> tuple[ProviderError, Misbehaving]:
    """Return what creating at a server that behaves so comes to."""
    async with misbehaving(behaviour) as server:
        provider = built(server.url)
        with pytest.raises(ProviderError) as caught:
            await provider.create(call(ASKED))
        await provider.close()
    return caught.value, server


def json(body: object) -> Behaviour:
    """Return the behaviour of answering with a JSON body."""
    return answer(200, msgspec.json.encode(body))


async def test_every_documented_header_is_sent() -> None:
    """The key, the merchant, and a user agent of product and version go with each create."""
    _, server = await failed(hang_up)
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode()
    lines = head.split("\r\n")
    assert lines[0] == "POST /invoicingcheckoutservice/v1/checkouts HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["X-Clover-Merchant-Id"] == "FKKVS5QZVMS41"
    assert re.fullmatch(r"checkout-service/[0-9][0-9.]*", headers["User-Agent"])
    assert (headers["Content-Type"], headers["Accept"]) == ("application/json", "application/json")


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (json({"href": "https://www.clover.com/checkout/1"}), "no_session_id"),
        (json(document("checkout_created") | {"href": "https://x.example/"}), "foreign"),
        (answer(200, b""), "unreadable_body: Expected"),
        (answer(200, b"<html>"), "unreadable_body"),
        (answer(504, b"<html>"), "status_504"),
        (answer(301, b"", "Location: /"), "redirect"),
        (hang_up, "disconnected"),
    ],
)
async def test_an_unusable_answer_leaves_the_outcome_unknown(
    behaviour: Behaviour, cause: str
) -> None:
    """Something may have been made; it is not sent again unasked, and the error says why nobody knows."""
    error, server = await failed(behaviour)
    assert isinstance(error, ProviderOutcomeUnknown)
    assert error.metadata["cause"].startswith(cause)
    assert len(server.requests) == 1


async def test_a_rate_limit_is_not_tried_again_at_once() -> None:
    """Calling before the wait is over makes it longer."""
    error, server = await failed(answer(429, b"slow down", "Retry-After: 2"))
    assert isinstance(error, ProviderRateLimited)
    assert len(server.requests) == 1


BEHAVIOURS = {
    "400": answer(400, msgspec.json.encode({"message": ECHO, "code": "X"})),
    "400 text": answer(400, ECHO.encode()),
    "401": answer(401, msgspec.json.encode({"error": {"message": ECHO}})),
    "429": answer(429, ECHO.encode()),
    "502 page": answer(502, f"<html>{ECHO}".encode()),
    "200 of another shape": json({"checkoutSessionId": {ECHO: 1}}),
    "200 with a foreign page": json({"checkoutSessionId": "1", "href": f"https://{ECHO}/"}),
    "302": answer(302, b"", f"Location: https://x.example/?{KEY}"),
}


@pytest.mark.parametrize("case", BEHAVIOURS)
async def test_no_canary_gets_out(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failing exchange that echoes everything leaves no trace of it in logs and errors."""
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        error, server = await failed(BEHAVIOURS[case])
    assert server.requests[0].count(b"anary") >= len(CANARIES)
    said = f"{logs} {caplog.text} {error} {vars(error)} {error.__cause__}"
    canaries = (*CANARIES.values(), KEY)
    assert [canary for canary in canaries if canary.lower() in said.lower()] == []
    assert logs[-1]["event"].startswith("provider.request_")


async def test_details_fill_the_contracts_message() -> None:
    """What the answer has beyond the common fields has its field in the contract."""
    async with misbehaving(json(document("checkout_created"))) as server:
        provider = built(server.url)
        session = await provider.create(call(request()))
        await provider.close()
    details = provider_options_pb2.ProviderDetails()
    json_format.ParseDict({"clover": dict(session.details)}, details)
    assert details.clover.create_time.ToMilliseconds() == 1772366400125
