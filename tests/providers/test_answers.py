"""Reading what comes over the wire."""

import gzip
from datetime import timedelta

import pytest

from service.providers.answers import Answer
from tests.providers.servers import answer, client, misbehaving


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", 3600),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2099 11:00:00 GMT", 3600),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_date(value: str, expected: int | None) -> None:
    """Both notations are understood, measured by the server's clock, and capped at an hour."""
    headers = (f"Retry-After: {value}", "Date: Sun, 01 Mar 2026 12:00:00 GMT")
    async with misbehaving(answer(429, b"{}", *headers)) as server, client(server.url) as http:
        found = await http.request("create", "POST", "/")
    assert found.retry_after == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", Answer(status=500)),
        (b"<html>", Answer(status=500, text="<html>")),
        (b"\xff", Answer(status=500, text="\ufffd")),
        (b'"text"', Answer(status=500, body="text")),
        (gzip.compress(b"{}", mtime=0)[:3], Answer(status=500, text="\x1f\ufffd\x08")),
    ],
)
async def test_bodies_that_are_no_json_come_as_text(body: bytes, expected: Answer) -> None:
    """HTML, nothing, broken and compressed bodies are kept as what came."""
    async with misbehaving(answer(500, body)) as server, client(server.url) as http:
        assert await http.request("create", "POST", "/") == expected


async def test_deeply_nested_json_is_text() -> None:
    """A body made to exhaust the stack is not parsed."""
    async with misbehaving(answer(200, b"[" * 500_000)) as server, client(server.url) as http:
        assert (await http.request("create", "POST", "/")).body is None


async def test_numbers_with_decimals_stay_exact() -> None:
    """An amount in major units is what was written, digit by digit; whole numbers stay whole."""
    body = b'{"total":0.10,"list":[9007199254740993.01],"count":3}'
    async with misbehaving(answer(200, body)) as server, client(server.url) as http:
        found = (await http.request("create", "POST", "/")).body
    assert str(found) == (
        "{'total': Decimal('0.10'), 'list': [Decimal('9007199254740993.01')], 'count': 3}"
    )
