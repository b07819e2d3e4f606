"""The sandbox over real HTTP, with what was sent to it and a receiver of its webhooks."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

import msgspec
from aiohttp import web

from service.sandbox.app import PREFIX, Clock, Sandbox, SandboxSettings, build_sandbox
from service.sandbox.registry import EMULATIONS

API_TOKEN = "sandbox-token"
WEBHOOK_SECRET = "whsec_c2FuZGJveC1zZWNyZXQtb2YtMzItYnl0ZXMtMDAwMDA="
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Hook(NamedTuple):
    """One webhook as it came in."""

    headers: dict[str, str]
    body: bytes


class Place(NamedTuple):
    """A running sandbox: its address, the JSON bodies and names in paths it was sent, the webhooks it sent."""

    url: str
    sandbox: Sandbox
    bodies: list[dict[str, object]]
    hooks: list[Hook]
    named: set[str]


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a listening socket."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        yield
    finally:
        await runner.cleanup()


def free_port() -> tuple[socket.socket, str]:
    """Return a bound socket of this host and the address it will serve."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def running_sandbox(clock: Clock = lambda: NOW) -> AsyncIterator[Place]:
    """Run a sandbox whose public address is the one it listens on."""
    listener, url = free_port()
    numbers = count(1)
    sandbox = build_sandbox(
        SandboxSettings(
            public_url=f"{url}{PREFIX}",
            api_token=API_TOKEN,
            webhook_secret=WEBHOOK_SECRET,
            webhook_urls=dict.fromkeys(EMULATIONS, f"{url}/hook"),
        ),
        clock=clock,
        new_id=lambda: f"{next(numbers):08d}",
    )
    place = Place(url, sandbox, [], [], set())
    root = web.Application(middlewares=[_recorder(place)])
    root.router.add_post("/hook", _receiver(place.hooks))
    root.add_subapp(PREFIX, sandbox.app)
    async with serving(root, listener):
        await sandbox.start()
        try:
            yield place
        finally:
            await sandbox.close()


def _recorder(place: Place) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_call = request.method == "POST" and request.path.startswith(PREFIX)
        if is_call and (sent := await request.read()):
            place.bodies.append(msgspec.json.decode(sent))
        if is_call:
            place.named.update(request.match_info)
        return await handler(request)

    return record


def _receiver(hooks: list[Hook]) -> Handler:
    async def receive(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        hooks.append(Hook(headers, await request.read()))
        return web.Response()

    return receive
