"""The port as a whole: addresses, unknown paths, headers, the sandbox, and the end."""

import asyncio
import errno
from contextlib import closing
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from structlog.typing import EventDict

from service.web.listening import listener
from service.web.server import WebServer
from tests.web.conftest import error_of


async def test_unknown_path_is_json(client: aiohttp.ClientSession) -> None:
    """Whatever asks can read the refusal, and whoever has mistaken the address where to go."""
    for path in ("/", "/nowhere", "/webhooks/dodo"):
        async with client.get(path) as answer:
            assert answer.status == 404
            assert answer.content_type == "application/json"
            body = await answer.read()
            assert error_of(body) == "not_found"
            assert b"/webhooks/{provider}/{account}" in body


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/metrics"])
async def test_answers_are_safe_in_a_browser(client: aiohttp.ClientSession, path: str) -> None:
    """No answer can be framed, guessed into another type, or kept, and none names our software."""
    async with client.get(path) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Server" not in answer.headers


async def test_sandbox_keeps_its_own_words(client: aiohttp.ClientSession) -> None:
    """The sandbox's pages, policies, redirects and errors pass as they are."""
    async with client.get("/sandbox/pages/one") as answer:
        assert await answer.text() == "page"
        assert answer.headers["Content-Security-Policy"] == "its own"
    async with client.get("/sandbox/pages/missing") as answer:
        assert (answer.status, await answer.text()) == (404, "its own words")
    async with client.get("/sandbox/pages/moved", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_bug_is_answered_without_its_text(
    client: aiohttp.ClientSession, lines: list[EventDict]
) -> None:
    """The trace goes to the log and not to whoever asked."""
    async with client.get("/sandbox/pages/broken") as answer:
        assert answer.status == 500
        assert "canary" not in await answer.text()
    assert [line["route"] for line in lines if line["event"] == "http.failed"] == [
        "/sandbox/pages/{name}"
    ]


async def test_access_log_has_patterns_not_paths(
    client: aiohttp.ClientSession, lines: list[EventDict]
) -> None:
    """Ids in paths and queries stay out of the log."""
    await client.get("/sandbox/pages/canary?canary=1")
    await client.get("/sandbox/pages/moved", allow_redirects=False)
    await client.get("/canary")
    logged = [line for line in lines if line["event"] == "http.handled"]
    assert [(line["route"], line["status"]) for line in logged] == [
        ("/sandbox/pages/{name}", 200),
        ("/sandbox/pages/{name}", 303),
        ("unknown", 404),
    ]
    assert "canary" not in str(logged)


def test_taken_address_is_named() -> None:
    """The error says which address cannot be had."""
    first = WebServer(host="127.0.0.1", port=0, drain=timedelta(0))
    port = first.bind()
    first._listener().listen()
    second = WebServer(host="127.0.0.1", port=port, drain=timedelta(0))
    with pytest.raises(OSError, match="in use") as caught:
        second.bind()
    assert caught.value.errno == errno.EADDRINUSE
    assert caught.value.filename == f"127.0.0.1:{port}"
    asyncio.run(first.close())


async def test_socket_that_was_taken_is_shared() -> None:
    """Servers that were handed one socket answer at one address, and the end of one is not the other's."""
    with closing(listener("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        first, second = (
            WebServer(host="unused", port=0, drain=timedelta(0), taken=taken.dup())
            for _ in range(2)
        )
        for server in (first, second):
            assert server.bind() == port
            await server.start(web.Application())
        await first.close()
        for _ in range(5):
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"http://127.0.0.1:{port}/") as answer,
            ):
                assert answer.status == 404
        await second.close()


async def test_close_waits_for_requests_in_progress() -> None:
    """A request that has begun is answered, and no new one is taken."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        begun.set()
        await may_end.wait()
        return web.Response(text="done")

    application = web.Application()
    application.router.add_get("/", slow)
    server = WebServer(host="127.0.0.1", port=0, drain=timedelta(seconds=60))
    port = server.bind()
    url = f"http://127.0.0.1:{port}/"
    await server.start(application)
    async with aiohttp.ClientSession() as client:
        request = asyncio.create_task(client.get(url))
        await begun.wait()
        closing = asyncio.create_task(server.close())
        with pytest.raises(ConnectionError):
            await _knock_until_refused(port)
        may_end.set()
        answer = await request
        assert await answer.text() == "done"
    await closing


async def _knock_until_refused(port: int) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
