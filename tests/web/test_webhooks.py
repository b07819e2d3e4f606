"""How webhooks are answered: the provider sends again exactly what was not taken."""

import asyncio
from io import BytesIO

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict

from service.core.errors import (
    CheckoutError,
    ProviderNotConfigured,
    StoreUnavailable,
    WebhookNotVerified,
)
from service.core.webhooks import PartlyTaken, Receipt
from service.web.webhooks import MAX_BODY_BYTES
from tests.web.conftest import Rules, error_of

URL = "/webhooks/dodo/default"


def counted(registry: CollectorRegistry, provider: str, outcome: str) -> float | None:
    """Return how often an outcome was counted."""
    labels = {"provider": provider, "outcome": outcome}
    return registry.get_sample_value("checkout_webhooks_total", labels)


async def test_rules_get_the_bytes_as_sent(client: aiohttp.ClientSession, rules: Rules) -> None:
    """The signature covers the raw body, and headers are found whatever their case."""
    body = b'{ "a":1 }\n\xff'
    await client.post("/webhooks/dodo/second-shop", data=body, headers={"Webhook-ID": "msg_1"})
    (provider, account, headers, received) = rules.calls[0]
    assert (provider, account, received) == ("dodo", "second-shop", body)
    assert headers["webhook-id"] == "msg_1"


async def test_repeated_header_becomes_one_list(
    client: aiohttp.ClientSession, rules: Rules
) -> None:
    """No one of two values is picked: what is ambiguous must not verify."""
    twice = b"webhook-id: a\r\nWebhook-Id: b\r\n"
    assert b" 200 " in await _status_line(client, twice + b"Content-Length: 2\r\n\r\n{}")
    assert rules.calls[0][2]["webhook-id"] == "a, b"


@pytest.mark.parametrize("receipt", Receipt)
async def test_taken_event_is_answered_200(
    client: aiohttp.ClientSession, rules: Rules, registry: CollectorRegistry, receipt: Receipt
) -> None:
    """Whatever became of a durable event, the provider need not send it again."""
    rules.result = [receipt]
    async with client.post(URL, data=b"{}") as answer:
        assert answer.status == 200
        assert await answer.json() == {"outcomes": [receipt.value]}
    assert counted(registry, "dodo", receipt.value) == 1


async def test_a_batch_that_is_partly_durable_is_acknowledged_by_id(
    client: aiohttp.ClientSession,
    rules: Rules,
    registry: CollectorRegistry,
    lines: list[EventDict],
) -> None:
    """202 names what was stored, one id a line, and why the rest was not is logged without its text."""
    rules.result = PartlyTaken(
        receipts=[Receipt.APPLIED, Receipt.IGNORED],
        event_ids=["e1", "e3"],
        failures=[ValueError("canary")],
    )
    async with client.post(URL, data=b"{}") as answer:
        assert (answer.status, await answer.text()) == (202, "e1\ne3")
    assert [counted(registry, "dodo", name) for name in ("applied", "ignored", "failed")] == [1] * 3
    assert "webhook.failed" in [line["event"] for line in lines]
    assert "canary" not in str(lines)


REFUSALS = pytest.mark.parametrize(
    ("raised", "answered"),
    [
        (WebhookNotVerified("stale"), (401, "not_verified")),
        (ValueError("not json"), (400, "unreadable")),
        (StoreUnavailable("gone"), (503, "unavailable")),
        (CheckoutError("other"), (503, "failed")),
        (RuntimeError("a bug"), (503, "failed")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)


@REFUSALS
async def test_refused_event_is_sent_again(
    client: aiohttp.ClientSession,
    rules: Rules,
    registry: CollectorRegistry,
    raised: Exception,
    answered: tuple[int, str],
) -> None:
    """A refusal says why, and leaves the provider's retries running."""
    rules.result = raised
    async with client.post(URL, data=b"{}") as answer:
        assert (answer.status, error_of(await answer.read())) == answered
        assert str(raised) not in await answer.text()
    assert counted(registry, "dodo", answered[1]) == 1


async def test_unknown_account_is_not_found(
    client: aiohttp.ClientSession, rules: Rules, registry: CollectorRegistry
) -> None:
    """Invented provider names add no time series."""
    rules.result = ProviderNotConfigured("no such account")
    async with client.post("/webhooks/invented/default") as answer:
        assert answer.status == 404
        assert error_of(await answer.read()) == "unknown_account"
    assert counted(registry, "unknown", "unknown_account") == 1
    assert counted(registry, "invented", "unknown_account") is None


async def test_large_body_is_refused_unread(
    client: aiohttp.ClientSession, rules: Rules, registry: CollectorRegistry
) -> None:
    """A body over the limit never reaches the rules; one at the limit does."""
    async with client.post(URL, data=BytesIO(b"x" * (MAX_BODY_BYTES + 1))) as answer:
        assert answer.status == 413
        assert error_of(await answer.read()) == "body_too_large"
    assert rules.calls == []
    async with client.post(URL, data=BytesIO(b"x" * MAX_BODY_BYTES)) as answer:
        assert answer.status == 200


async def test_body_that_never_ends_is_given_up(
    client: aiohttp.ClientSession, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that stops in the middle holds no handler for ever."""
    monkeypatch.setattr("service.web.webhooks.BODY_TIMEOUT", 0.01)
    assert b" 408 " in await _status_line(client, b"Content-Length: 9\r\n\r\n{")
    assert rules.calls == []


async def test_other_methods_are_refused(client: aiohttp.ClientSession) -> None:
    """A browser that opens the address is told what it takes."""
    async with client.get(URL) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"


async def test_one_line_is_logged_without_content(
    client: aiohttp.ClientSession, rules: Rules, lines: list[EventDict]
) -> None:
    """The canonical line has everything about the request but what is private in it."""
    rules.result = [Receipt.APPLIED, Receipt.DUPLICATE]
    await client.post(f"{URL}?canary=1", data=b"canary", headers={"webhook-id": "canary"})
    (line,) = [line for line in lines if line["event"] == "webhook.received"]
    assert (line["provider"], line["account"]) == ("dodo", "default")
    assert (line["status"], line["outcomes"]) == (200, ["applied", "duplicate"])
    assert line["bytes"] == 6
    assert "canary" not in str(lines)


async def _status_line(client: aiohttp.ClientSession, rest: bytes) -> bytes:
    """Send a webhook byte by byte as given and return the first line of the answer."""
    url = client._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {URL} HTTP/1.1\r\nHost: {url.host}\r\n".encode() + rest)
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line
