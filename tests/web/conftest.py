"""The HTTP port on a socket of its own, with rules that tests script."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict

from service.core.webhooks import Receipt
from service.web.server import WebServer, build_application


@dataclass
class Rules:
    """Answers for the rules behind the port, and notes what they are given."""

    result: Sequence[Receipt] | Exception = (Receipt.APPLIED,)
    unready: str | Exception | None = None
    is_hanging: bool = False
    calls: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def receive(
        self, provider: str, account: str, headers: Mapping[str, str], body: bytes
    ) -> Sequence[Receipt]:
        """Answer as scripted."""
        self.calls.append((provider, account, headers, body))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def ready(self) -> str | None:
        """Answer as scripted."""
        if self.is_hanging:
            await asyncio.Event().wait()
        if isinstance(self.unready, Exception):
            raise self.unready
        return self.unready


@pytest.fixture
def rules() -> Rules:
    """Rules that take everything."""
    return Rules()


@pytest.fixture
def registry() -> CollectorRegistry:
    """Metrics of this test alone."""
    return CollectorRegistry()


@pytest.fixture
def sandbox() -> web.Application:
    """A stand-in for the sandbox's pages."""
    pages = web.Application()

    async def page(request: web.Request) -> web.Response:
        match request.match_info["name"]:
            case "missing":
                raise web.HTTPNotFound(text="its own words")
            case "moved":
                raise web.HTTPSeeOther("/sandbox/pages/other")
            case "broken":
                raise RuntimeError("canary")
        return web.Response(text="page", headers={"Content-Security-Policy": "its own"})

    pages.router.add_get("/pages/{name}", page)
    return pages


@pytest.fixture
async def client(
    rules: Rules, registry: CollectorRegistry, sandbox: web.Application
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a running port."""
    server = WebServer(host="127.0.0.1", port=0, drain=timedelta(seconds=1))
    port = server.bind()
    application = build_application(
        receive=rules.receive, ready=rules.ready, registry=registry, sandbox=sandbox
    )
    await server.start(application)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await server.close()


@pytest.fixture
def lines() -> Iterator[list[EventDict]]:
    """What is logged while the test runs."""
    with structlog.testing.capture_logs() as captured:
        yield captured


def error_of(body: bytes) -> str:
    """Return the code in an error's body."""
    code = json.loads(body)["error"]
    assert isinstance(code, str)
    return code
