"""What the client of a provider notes of its requests, for the timeline of a session."""

import pytest

from service.core.calls import Gathering, gathered
from service.core.errors import ProviderOutcomeUnknown
from tests.providers.servers import answer, client, misbehaving, reset


async def test_every_request_is_noted_with_what_came_back() -> None:
    """A request that is sent again stands there twice, with its status, id, bodies and number."""
    away = answer(503, b'{"error":"busy"}', "X-Request-Id: req-1")
    well = answer(200, b'{"id":"1"}', "X-Request-Id: req-2")
    async with misbehaving(away, well) as server, client(server.url) as http:
        with Gathering():
            await http.request("retrieve", "GET", "/checkouts/1", sent_is_safe=True)
            first, second = gathered()
    assert (first.operation, first.outcome, first.status) == ("retrieve", "answered", 503)
    assert (first.attempt, first.provider_request_id) == (1, "req-1")
    assert (first.sent, first.received) == (b"", b'{"error":"busy"}')
    assert (second.status, second.attempt, second.provider_request_id) == (200, 2, "req-2")
    assert second.received == b'{"id":"1"}'
    assert first.began + first.latency <= second.began


async def test_a_request_without_an_answer_is_noted_with_why() -> None:
    """What was sent is kept; there is neither status nor answer."""
    async with misbehaving(reset) as server, client(server.url) as http:
        with Gathering():
            with pytest.raises(ProviderOutcomeUnknown):
                await http.request("create", "POST", "/checkouts", json={"a": 1})
            (call,) = gathered()
    # Which of the two it is, depends on how far reading had come.
    assert call.outcome in {"reset", "disconnected"}
    assert (call.operation, call.status) == ("create", 0)
    assert (call.sent, call.received, call.provider_request_id) == (b'{"a":1}', b"", "")


async def test_a_redirect_is_noted_with_its_status() -> None:
    """A redirect is an answer, though none that is followed."""
    async with (
        misbehaving(answer(302, b"", "Location: http://127.0.0.1/")) as server,
        client(server.url) as http,
    ):
        with Gathering():
            with pytest.raises(ProviderOutcomeUnknown):
                await http.request("create", "POST", "/checkouts", json={"a": 1})
            (call,) = gathered()
    assert (call.outcome, call.status) == ("answered", 302)


async def test_nobody_is_told_where_nobody_gathers() -> None:
    """A request that is made for no session leaves nothing behind."""
    async with misbehaving(answer()) as server, client(server.url) as http:
        await http.request("list", "GET", "/payments", sent_is_safe=True)
        assert gathered() == ()
        with Gathering():
            assert gathered() == ()
