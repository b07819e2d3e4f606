"""The shared HTTP client against real sockets."""

import asyncio
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.core.errors import ProviderOutcomeUnknown, ProviderUnavailable
from service.providers.answers import Answer
from service.providers.http import ProviderHttp
from service.providers.secrets import Secret
from tests.providers.clockwork import Ahead
from tests.providers.servers import (
    Behaviour,
    answer,
    client,
    hang_up,
    misbehaving,
    once,
    raw,
    reset,
    stay_silent,
    talk_for_ever,
)

MOMENT = timedelta(milliseconds=60)


async def post(http: ProviderHttp, connect_within: timedelta | None = None) -> Answer:
    """Send a request that must not be repeated."""
    return await http.request(
        "create", "POST", "/checkouts", json={"a": 1}, connect_within=connect_within
    )


async def get(http: ProviderHttp, connect_within: timedelta | None = None) -> Answer:
    """Send a request that may be repeated."""
    return await http.request(
        "retrieve", "GET", "/checkouts/1", connect_within=connect_within, sent_is_safe=True
    )


def dead_url(scheme: str = "http") -> str:
    """Return an address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


async def test_an_answer_comes_with_its_json() -> None:
    """Status, body and the provider's request id are returned; the key and JSON are sent."""
    async with (
        misbehaving(answer(200, b'{"id":"1"}', "X-Request-Id: req-9")) as server,
        client(server.url) as http,
    ):
        found = await post(http)
    assert found == Answer(status=200, body={"id": "1"}, request_id="req-9")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Authorization: Bearer key-1" in head
    assert b"Content-Type: application/json" in head
    assert body == b'{"a":1}'


async def test_refused_connections_are_tried_again_and_then_reported_as_not_sent() -> None:
    """Nothing listens: a few attempts, then an error that says that nothing was sent."""
    async with client(dead_url()) as http:
        with capture_logs() as logs, pytest.raises(ProviderUnavailable) as caught:
            await post(http)
    assert caught.value.metadata == {
        "provider": "dodo",
        "account": "default",
        "cause": "connect_failed",
    }
    assert [log["attempt"] for log in logs] == [1, 2, 3]


async def test_a_connection_that_works_at_the_second_try_is_used() -> None:
    """A server that comes up between two attempts is found."""
    url = dead_url()
    host, port = url.removeprefix("http://").split(":")
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        await answer()(reader, writer)
        served.set()
        writer.close()

    def come_up(*_: object) -> None:
        starting.append(asyncio.ensure_future(asyncio.start_server(serve, host, int(port))))

    starting: list[asyncio.Future[asyncio.Server]] = []
    async with client(url, observe=come_up) as http:
        found = await post(http)
    assert found.status == 200
    for start in starting[:1]:
        (await start).close()
    for start in starting[1:]:
        await asyncio.gather(start, return_exceptions=True)


async def test_an_unknown_host_was_not_sent_to() -> None:
    """A name that does not resolve is its own cause."""
    async with client("http://nothing.invalid") as http:
        with pytest.raises(ProviderUnavailable) as caught:
            await post(http, MOMENT)
    assert caught.value.metadata["cause"] in {"dns", "connect_timeout"}


async def test_a_connection_that_is_never_accepted_was_not_sent_to() -> None:
    """Waiting for a connection ends with the caller's time, long before the account's time-out."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = []
    for _ in range(4):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(full.getsockname())
        waiting.append(connection)
    async with client(f"http://127.0.0.1:{full.getsockname()[1]}") as http:
        with pytest.raises(ProviderUnavailable) as caught:
            await post(http, MOMENT)
    assert caught.value.metadata["cause"] == "connect_timeout"
    for connection in (full, *waiting):
        connection.close()


async def test_a_spent_deadline_sends_nothing() -> None:
    """A caller without time left does not reach the provider."""
    async with misbehaving(answer()) as server, client(server.url) as http:
        with pytest.raises(ProviderUnavailable):
            await post(http, timedelta(0))
    assert server.requests == []


async def test_a_server_without_tls_was_not_sent_to() -> None:
    """The handshake fails before anything is said."""
    async with (
        misbehaving(answer()) as server,
        client(server.url.replace("http", "https")) as http,
    ):
        with pytest.raises(ProviderUnavailable):
            await post(http, MOMENT)
    assert server.requests == []


async def test_waiting_for_a_free_connection_is_bounded() -> None:
    """With every connection in use, a call ends with its caller's time and was not sent."""
    done = asyncio.Event()
    async with (
        misbehaving(once(done, answer())) as server,
        client(server.url, connections=1) as http,
    ):
        first = asyncio.create_task(post(http))
        while not server.requests:
            await asyncio.sleep(0)
        with pytest.raises(ProviderUnavailable) as caught:
            await post(http, MOMENT)
        done.set()
        assert (await first).status == 200
    assert caught.value.metadata["cause"] == "no_free_connection"
    assert len(server.requests) == 1


async def test_the_callers_deadline_does_not_bound_a_sent_request(ahead: Ahead) -> None:
    """A request on the wire waits for its answer although the caller's time is over."""
    late = asyncio.Event()
    async with (
        misbehaving(once(late, answer())) as server,
        client(server.url, request_timeout=timedelta(seconds=60)) as http,
    ):
        sent = asyncio.create_task(post(http, timedelta(seconds=20)))
        while not server.requests:
            await asyncio.sleep(0)
        ahead(30)
        await asyncio.sleep(0.001)
        late.set()
        assert (await sent).status == 200


@pytest.mark.parametrize(
    ("behaviour", "causes"),
    [
        (stay_silent, {"timeout"}),
        (hang_up, {"disconnected"}),
        (reset, {"reset", "disconnected"}),
        (answer(200, b'{"id"', length=100), {"truncated"}),
        (talk_for_ever, {"body_too_large"}),
        (answer(200, b" " * 10_000_000), {"body_too_large"}),
        (answer(302, b"", "Location: /elsewhere"), {"redirect"}),
        (answer(308, b"{}", "Location: /elsewhere"), {"redirect"}),
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), {"malformed"}),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), {"malformed"}),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), {"disconnected", "truncated"}),
    ],
)
async def test_a_sent_request_without_a_usable_answer_is_never_repeated(
    behaviour: Behaviour, causes: set[str]
) -> None:
    """Whatever goes wrong once a request is on the wire, its outcome is unknown."""
    patience = timedelta(milliseconds=300) if causes == {"timeout"} else timedelta(seconds=20)
    async with (
        misbehaving(behaviour, answer(), answer()) as server,
        client(server.url, request_timeout=patience) as http,
    ):
        with pytest.raises(ProviderOutcomeUnknown) as caught:
            await post(http)
    assert caught.value.metadata["cause"] in causes
    assert len(server.requests) == 1


async def test_a_connection_broken_off_at_once_counts_as_used() -> None:
    """Nobody can know what reached a server that accepted and broke off."""

    async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    async with server, client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        with pytest.raises(ProviderOutcomeUnknown):
            await post(http)


async def test_a_post_on_a_kept_connection_that_closes_is_not_repeated() -> None:
    """A reused connection that dies unanswered leaves the outcome unknown."""
    async with misbehaving(answer(), hang_up, answer()) as server, client(server.url) as http:
        await post(http)
        with pytest.raises(ProviderOutcomeUnknown):
            await post(http)
    assert (server.connections, len(server.requests)) == (1, 2)


async def test_a_read_on_a_kept_connection_that_closes_is_repeated() -> None:
    """Reading again is harmless."""
    async with misbehaving(answer(), hang_up, answer()) as server, client(server.url) as http:
        await get(http)
        assert (await get(http)).status == 200
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_only_reads_are_repeated_after_an_error(status: int) -> None:
    """A read goes on after errors that pass; anything else returns the first answer."""
    failure = answer(status, b"{}", "Retry-After: 0")
    async with misbehaving(failure, failure, answer()) as server:
        async with client(server.url) as http:
            assert (await get(http)).status == 200
        assert len(server.requests) == 3
    async with misbehaving(failure, answer()) as server, client(server.url) as http:
        assert (await post(http)).status == status
        assert len(server.requests) == 1


async def test_reads_are_not_repeated_without_end() -> None:
    """After three attempts the last answer stands."""
    async with misbehaving(*[answer(503)] * 4) as server, client(server.url) as http:
        assert (await get(http)).status == 503
    assert len(server.requests) == 3


async def test_a_long_retry_after_is_left_to_the_caller() -> None:
    """A wish to wait beyond the time there is ends the call with that answer."""
    slow_down = answer(429, b"", "Retry-After: 60")
    async with misbehaving(slow_down, answer()) as server, client(server.url) as http:
        found = await get(http)
    assert found == Answer(status=429, retry_after=timedelta(seconds=60))


async def test_a_changed_key_is_used_after_a_401(tmp_path: Path) -> None:
    """A 401 has the file read again, and the request is repeated once with the new key."""
    file = tmp_path / "key"
    file.write_text("key-1\n")
    state = file.stat()
    secret = Secret(file=file)
    assert secret.current() == "key-1"
    file.write_text("key-2\n")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert secret.current() == "key-1"
    async with (
        misbehaving(answer(401), answer()) as server,
        client(server.url, secret=secret) as http,
    ):
        assert (await post(http)).status == 200
    assert b"Bearer key-1" in server.requests[0]
    assert b"Bearer key-2" in server.requests[1]


async def test_an_unchanged_key_is_not_tried_twice() -> None:
    """A 401 with nothing new to say is the answer."""
    async with misbehaving(answer(401), answer()) as server, client(server.url) as http:
        assert (await post(http)).status == 401
    assert len(server.requests) == 1


async def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    """A missing secret file keeps the request from leaving."""
    async with (
        misbehaving(answer()) as server,
        client(server.url, secret=Secret(file=tmp_path / "none")) as http,
    ):
        with pytest.raises(ProviderUnavailable) as caught:
            await post(http)
    assert caught.value.metadata["cause"] == "secret_unreadable"
    assert server.requests == []


async def test_the_key_is_cut_out_of_error_bodies() -> None:
    """A provider that quotes the refused key does not get it into our texts."""
    body = b'{"message":"Invalid API key key-1"}'
    async with misbehaving(answer(401, body)) as server, client(server.url) as http:
        found = await post(http)
    assert found.body == {"message": "Invalid API key [redacted]"}


async def test_every_attempt_is_counted_and_logged_without_its_content() -> None:
    """Operation, outcome and time go to the metrics; the log has names and numbers only."""
    seen: list[tuple[str, str]] = []

    def observe(operation: str, outcome: str, seconds: float) -> None:
        seen.append((operation, outcome))
        assert seconds > 0

    async with (
        misbehaving(
            answer(503),
            answer(200, b"{", length=9),
            answer(200, b"{}", "X-Request-Id: r1"),
        ) as server,
        client(server.url, observe=observe) as http,
    ):
        with capture_logs() as logs:
            await get(http)
    assert seen == [("retrieve", "5xx"), ("retrieve", "truncated"), ("retrieve", "2xx")]
    names = {"provider": "dodo", "account": "default", "operation": "retrieve"}
    assert all(log.items() >= names.items() for log in logs)
    assert [log["event"] for log in logs] == [
        "provider.request_finished",
        "provider.request_failed",
        "provider.request_finished",
    ]
    assert logs[1].items() >= {"cause": "truncated", "sent": True}.items()
    assert logs[2].items() >= {"status": 200, "attempt": 3, "provider_request_id": "r1"}.items()
    assert set(logs[2]) == names.keys() | {
        "attempt",
        "event",
        "latency_ms",
        "log_level",
        "provider_request_id",
        "status",
    }


async def test_closing_gives_up_calls_in_progress() -> None:
    """A call under way ends as unknown; one that starts later is not sent."""
    async with misbehaving(stay_silent) as server, client(server.url) as http:
        running = asyncio.create_task(post(http))
        while not server.requests:
            await asyncio.sleep(0)
        await http.close()
        with pytest.raises(ProviderOutcomeUnknown):
            await running
        with pytest.raises(ProviderUnavailable) as caught:
            await post(http)
    assert caught.value.metadata["cause"] == "closed"
