"""Nothing personal and no secret leaves through logs, errors and warnings."""

import base64
import logging

import msgspec
import pytest
from structlog.testing import capture_logs

from service.core.errors import ProviderError
from service.core.model import Customer
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.fastspring.documents import call, document, request
from tests.providers.servers import Behaviour, answer, hang_up, misbehaving

CANARIES = {
    "email": "canary1@example.com",
    "first_name": "Canary2",
    "last_name": "Canary3",
    "phone_number": "+14155550104",
    "company": "Canary5",
    "tax_id": "CANARY6",
    "ip_address": "192.0.2.66",
}
ADDRESS = {
    "line1": "1 Canary7 St",
    "line2": "Canary8",
    "city": "Canary9",
    "region": "CX",
    "postal_code": "CAN4RY-B",
}
CONTACT = {"email": "canaryb@example.com", "phone_number": "+14155550188", "company": "CanaryD"}
KEY = "canary-key"
TOKEN = base64.b64encode(f"user:{KEY}".encode()).decode()
ALL = (*CANARIES.values(), *ADDRESS.values(), *CONTACT.values(), KEY, TOKEN)

ASKED = request(
    customer=msgspec.convert(
        {**CANARIES, "billing_address": {**ADDRESS, "country": "US"}}, Customer
    ),
    options={"ship_to_contact": CONTACT},
)
ECHO = " / ".join(ALL)
OWN = {"username": "user", "store": "shop", "checkout": "web-main"}


def refusal(status: int) -> Behaviour:
    """Return the behaviour of refusing with everything that was sent."""
    entry = {"errorCode": "X", "field": "customer.taxId", "message": ECHO, "rejectedValue": ECHO}
    body = {"status": f"{status} X", "message": ECHO, "errors": [entry]}
    return answer(status, msgspec.json.encode(body))


BEHAVIOURS = {
    "400": refusal(400),
    "401": refusal(401),
    "404": refusal(404),
    "429": refusal(429),
    "500": refusal(500),
    "502 page": answer(502, f"<html>{ECHO}".encode()),
    "200 page": answer(200, f"<html>{ECHO}".encode()),
    "302": answer(302, b"", f"Location: https://x.example/?{KEY}"),
    "201 of another shape": answer(201, msgspec.json.encode({"id": {ECHO: 1}})),
    "201 with a foreign page": answer(
        201,
        msgspec.json.encode({"id": "1", "checkoutUrls": {"webcheckoutUrl": f"https://{ECHO}/"}}),
    ),
    "hung up": hang_up,
}


def settings(url: str) -> AccountSettings:
    """Return an account at a server."""
    return AccountSettings(
        provider="fastspring", live=False, base_url=url, api_key=Secret(value=KEY), own=OWN
    )


@pytest.mark.parametrize("case", BEHAVIOURS)
async def test_no_canary_gets_out(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failing exchange that echoes everything leaves no trace of it in logs and errors."""
    caplog.set_level(logging.DEBUG)
    async with misbehaving(BEHAVIOURS[case], BEHAVIOURS[case]) as server:
        provider = build_provider(settings(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        with capture_logs() as logs, pytest.raises(ProviderError) as caught:
            await provider.create(call(ASKED))
        await provider.close()
    assert server.requests[0].count(b"anary") > len(CANARIES) - 2
    error = caught.value
    said = f"{logs} {caplog.text} {error} {vars(error)} {error.__cause__}"
    assert [canary for canary in ALL if canary.lower() in said.lower()] == []
    assert logs[-1]["event"].startswith("provider.request_")


async def test_no_canary_stays_in_warnings() -> None:
    """A success that quotes the buyer in its warnings leaves clean ones on the session."""
    body = document("session_created") | {
        "cart": None,
        "warnings": [{"code": "INVALID_TAX_ID", "field": "customer.taxId", "message": ECHO}],
    }
    async with misbehaving(answer(201, msgspec.json.encode(body))) as server:
        provider = build_provider(settings(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        made = await provider.create(call(ASKED))
        await provider.close()
    said = str(made.warnings)
    buyers = [canary for canary in ALL if canary not in (KEY, TOKEN)]
    assert [canary for canary in buyers if canary.lower() in said.lower()] == []
