"""Nothing personal and no secret leaves through logs or errors."""

import logging

import msgspec
import pytest
from structlog.testing import capture_logs

from service.core.errors import ProviderError
from service.core.model import Customer
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.dodo.documents import call, request
from tests.providers.servers import Behaviour, answer, hang_up, misbehaving

CANARIES = {
    "email": "canary1@example.com",
    "first_name": "Canary2",
    "last_name": "Canary3",
    "phone_number": "+14155550104",
    "company": "Canary5",
    "tax_id": "CANARY6",
}
ADDRESS = {
    "line1": "1 Canary7 St",
    "line2": "Canary8",
    "city": "Canary9",
    "region": "CanaryA",
    "postal_code": "CAN4RY-B",
}
KEY = "canary-key"
METHOD = "pm_canary"
ALL = (*CANARIES.values(), *ADDRESS.values(), KEY, METHOD)

ASKED = request(
    customer=msgspec.convert(
        {**CANARIES, "billing_address": {**ADDRESS, "country": "US"}}, Customer
    ),
    options={"confirm": True, "payment_method_id": METHOD},
)
ECHO = " / ".join(ALL)


def refusal(status: int) -> Behaviour:
    """Return the behaviour of refusing with everything that was sent."""
    return answer(status, msgspec.json.encode({"code": "X", "message": ECHO}))


BEHAVIOURS = {
    "422": refusal(422),
    "401": refusal(401),
    "429": refusal(429),
    "500": refusal(500),
    "502 page": answer(502, f"<html>{ECHO}".encode()),
    "200 page": answer(200, f"<html>{ECHO}".encode()),
    "302": answer(302, b"", f"Location: https://x.example/?{KEY}"),
    "200 of another shape": answer(200, msgspec.json.encode({"session_id": {ECHO: 1}})),
    "200 with a foreign page": answer(
        200, msgspec.json.encode({"session_id": "1", "checkout_url": f"https://{ECHO}/"})
    ),
    "hung up": hang_up,
}


@pytest.mark.parametrize("case", BEHAVIOURS)
async def test_no_canary_gets_out(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failing exchange that echoes everything leaves no trace of it in logs and errors."""
    caplog.set_level(logging.DEBUG)
    async with misbehaving(BEHAVIOURS[case], BEHAVIOURS[case]) as server:
        provider = build_provider(
            AccountSettings(
                provider="dodo", live=False, base_url=server.url, api_key=Secret(value=KEY)
            ),
            chance=lambda: 0.0,
            observe=lambda *_: None,
        )
        with capture_logs() as logs, pytest.raises(ProviderError) as caught:
            await provider.create(call(ASKED))
        await provider.close()
    assert server.requests[0].count(b"anary") > len(CANARIES)
    error = caught.value
    said = f"{logs} {caplog.text} {error} {vars(error)} {error.__cause__}"
    assert [canary for canary in ALL if canary.lower() in said.lower()] == []
    assert logs[-1]["event"].startswith("provider.request_")
