"""A sandbox on real sockets, with its time, its waiting and its webhook receiver under control."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

from service.sandbox.app import Sandbox, SandboxSettings, build_sandbox

TOKEN = "sandbox-token"
# The known-answer secret of the Standard Webhooks libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        """Move the clock."""
        self.now += timedelta(**step)


class Waiting:
    """Stands in for sleeping: notes each delay, and passes at once unless it is held."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.released = asyncio.Event()
        self.released.set()

    async def __call__(self, delay: float) -> None:
        self.delays.append(delay)
        await self.released.wait()


class Received(NamedTuple):
    """One webhook as its receiver got it."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """Return the decoded body."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class Receiver:
    """A webhook endpoint that answers with scripted statuses, and 200 after them."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: list[Received] = []
        self._arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one webhook."""
        got = Received(headers=dict(request.headers), body=await request.read())
        async with self._arrived:
            self.received.append(got)
            self._arrived.notify_all()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"location": "/elsewhere"})

    async def wait_for(self, number: int) -> list[Received]:
        """Wait until so many webhooks have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= number)
        return self.received


class Bench(NamedTuple):
    """A running sandbox and everything around it."""

    sandbox: Sandbox
    url: str
    http: aiohttp.ClientSession
    clock: Clock
    waiting: Waiting
    receiver: Receiver

    async def call(
        self, method: str, path: str, body: object = None, *, token: str = TOKEN
    ) -> tuple[int, Any]:
        """Call the emulated Dodo API and return the status with the decoded body."""
        headers = {"authorization": f"Bearer {token}"}
        async with self.http.request(
            method, f"{self.url}/dodo{path}", json=body, headers=headers
        ) as response:
            return response.status, await response.json()

    async def create(self, **fields: object) -> dict[str, Any]:
        """Create a session for one demo product unless the fields say otherwise."""
        status, answer = await self.call("POST", "/checkouts", body_with(**fields))
        assert status == 200, answer
        created: dict[str, Any] = answer
        return created

    async def page(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str, Mapping[str, str]]:
        """Fetch a page, or send its form, without following redirects: status, text, headers."""
        method = "GET" if data is None else "POST"
        address = path if path.startswith("http") else f"{self.url}/dodo{path}"
        async with self.http.request(
            method, address, data=data, headers=headers, allow_redirects=False
        ) as response:
            return response.status, await response.text(), response.headers


def body_with(**fields: object) -> dict[str, object]:
    """Build the smallest body of `POST /checkouts`, with more fields or others."""
    return {"product_cart": [{"product_id": "pdt_demo", "quantity": 1}]} | fields


def item(product_id: str, quantity: int = 1, **fields: object) -> dict[str, object]:
    """Build one item of a cart."""
    return {"product_id": product_id, "quantity": quantity} | fields


def ids() -> Callable[[], str]:
    """Return a source of ids that count up."""
    numbers = count(1)
    return lambda: f"{next(numbers):06d}"


class Stage(NamedTuple):
    """A running sandbox, where it is, where one provider's webhooks go, and what it goes by."""

    sandbox: Sandbox
    url: str
    hook_url: str
    http: aiohttp.ClientSession
    clock: Clock
    waiting: Waiting


@asynccontextmanager
async def staged(
    provider: str, receiver: Receiver, *, retention: int = 10_000, has_endpoint: bool = True
) -> AsyncIterator[Stage]:
    """Run a sandbox that sends one provider's webhooks to a receiver."""
    clock, waiting = Clock(), Waiting()
    hooks = web.Application()
    hooks.router.add_post("/hook", receiver.handle)
    async with serving(hooks) as hook_address, listening() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/sandbox"
        hook_url = f"{hook_address}/hook"
        sandbox = build_sandbox(
            SandboxSettings(
                public_url=url,
                api_token=TOKEN,
                webhook_secret=SECRET,
                webhook_urls={provider: hook_url} if has_endpoint else {},
                retention=retention,
            ),
            clock=clock,
            new_id=ids(),
            sleep=waiting,
        )
        await sandbox.start()
        async with (
            serving(sandbox.standalone(), listener),
            aiohttp.ClientSession() as http,
        ):
            yield Stage(sandbox, url, hook_url, http, clock, waiting)
        await sandbox.close()


@asynccontextmanager
async def running(*, retention: int = 10_000, has_endpoint: bool = True) -> AsyncIterator[Bench]:
    """Run a sandbox with a receiver for the webhooks of Dodo Payments."""
    receiver = Receiver()
    async with staged("dodo", receiver, retention=retention, has_endpoint=has_endpoint) as stage:
        yield Bench(stage.sandbox, stage.url, stage.http, stage.clock, stage.waiting, receiver)


@asynccontextmanager
async def listening() -> AsyncIterator[socket.socket]:
    """Bind a free port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        yield listener


@asynccontextmanager
async def serving(
    app: web.Application, listener: socket.socket | None = None
) -> AsyncIterator[str]:
    """Serve an application and yield its address."""
    async with listening() as own:
        runner = web.AppRunner(app)
        await runner.setup()
        used = listener or own
        await web.SockSite(runner, used).start()
        try:
            yield f"http://127.0.0.1:{used.getsockname()[1]}"
        finally:
            await runner.cleanup()
