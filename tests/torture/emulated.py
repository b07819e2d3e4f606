"""An emulated provider, which outlives every service, counts, and says nothing or fails as it is told."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from aiohttp import web

from service.sandbox.app import PREFIX, Sandbox, SandboxSettings, build_sandbox
from tests.e2e.wire.provider import WEBHOOK_SECRET
from tests.e2e.wire.sellers import API_TOKEN, SELLERS
from tests.providers.sandbox import free_port, serving
from tests.torture.points import ANYWHERE, CLOSING, REPLAYING
from tests.torture.seller import TIMEOUTS
from tests.torture.trade import Trade

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Respond = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

SQUARE = Trade(
    fields=SELLERS["square_links"].fields("default"),
    acts=("leave", "end"),
    points=[
        *(p for p in ANYWHERE if not p.startswith(("webhook", "takeover"))),
        *REPLAYING,
        *CLOSING,
    ],
    takes_a_key=True,
    closes_pages=True,
)


class Exchange(NamedTuple):
    """One request, and what became of it there, whether or not anybody was told."""

    method: str
    path: str
    body: bytes
    status: int
    answer: Any


class EmulatedSeller:
    """A provider by one of its calls, with everything it was asked and what it did about it."""

    trade = SQUARE

    def __init__(self, name: str, sandbox: Sandbox, url: str) -> None:
        self.exchanges: list[Exchange] = []
        self.respond: Respond = answers
        self._seller = SELLERS[name]
        self.settings = self._seller.settings(url.removeprefix("http://"), "default", **TIMEOUTS)
        self._emulator = sandbox.emulators[self._seller.provider]

    def settings_of(self, life: int) -> dict[str, str]:
        """The same for each: whatever life a second page is of, it is one too many."""
        return self.settings

    @property
    def pages(self) -> list[str]:
        """The ids of ours of all pages that there ever were, empty where a provider has no place for them."""
        return [session.session_id for session in self._emulator.sessions()]

    @property
    def made(self) -> dict[str, list[int]]:
        """The pages of each session, of no life in particular."""
        made: dict[str, list[int]] = defaultdict(list)
        for session_id in self.pages:
            made[session_id].append(0)
        return made

    @property
    def asked(self) -> Counter[str]:
        """How often each session was asked for at Square, whether or not anybody was told."""
        bodies = (json.loads(body) for body in self.creates)
        return Counter(body["order"]["metadata"]["checkout_session_id"] for body in bodies)

    def be_moody(self, chance: Random) -> None:
        """Do it, mostly, and take some time."""

        async def moody(request: web.Request, handler: Handler) -> web.StreamResponse:
            await asyncio.sleep(chance.random() / 30)
            mood = chance.random()
            if mood < 0.01 and request.method == "POST":
                return await refuses(request, handler)
            return await (resets if mood < 0.05 else answers)(request, handler)

        self.respond = moody

    @property
    def creates(self) -> list[bytes]:
        """The bodies of all requests to make a page, answered or not."""
        return [seen.body for seen in self.exchanges if self._is_create(seen)]

    def _is_create(self, seen: Exchange) -> bool:
        return bool(re.fullmatch(self._seller.create, f"{seen.method} {seen.path}"))

    @property
    def deletions(self) -> list[Exchange]:
        """All requests to delete a link."""
        return [seen for seen in self.exchanges if seen.method == "DELETE"]

    @property
    def readings(self) -> list[Exchange]:
        """All requests to read an order."""
        return [seen for seen in self.exchanges if "/v2/orders/" in seen.path]

    def pay(self, session_id: str) -> None:
        """Let the buyer pay for a session of ours."""
        self._emulator.pay(session_id)

    @property
    def states(self) -> list[str]:
        """Where each page stands there."""
        return [session.state.value for session in self._emulator.sessions()]

    def state(self, session_id: str) -> str:
        """Return where a session of ours stands there."""
        return self._emulator.session(session_id).state.value

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Do what the test says, and note it."""
        try:
            return await self.respond(request, self._noting(handler))
        except ConnectionResetError:
            # Whoever asked is dead, and there is nobody to answer.
            return web.Response()

    def _noting(self, handler: Handler) -> Handler:
        async def note(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            response = await handler(request)
            assert isinstance(response, web.Response)
            assert isinstance(response.body, bytes)
            answer = json.loads(response.body)
            self.exchanges.append(
                Exchange(request.method, request.path, body, response.status, answer)
            )
            return response

        return note


async def answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do it and say so."""
    return await handler(request)


async def hangs(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do it and say nothing as long as anybody waits."""
    await handler(request)
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.02)
    return web.Response()


def hangs_at(path: str) -> Respond:
    """Do it, and say nothing about requests whose path ends so."""

    async def respond(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await (hangs if request.path.endswith(path) else answers)(request, handler)

    return respond


async def hangs_at_reads(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do it, and say nothing about what is only read."""
    return await (hangs if request.method == "GET" else answers)(request, handler)


async def resets(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do it and break the connection off."""
    response = await handler(request)
    if request.transport is not None:
        request.transport.abort()
    return response


async def refuses(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what was asked for."""
    error = {"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST", "detail": "No."}
    return web.json_response({"errors": [error]}, status=400)


async def rejects_the_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse whoever asks."""
    error = {"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED", "detail": "Who?"}
    return web.json_response({"errors": [error]}, status=401)


@asynccontextmanager
async def emulated_seller(name: str) -> AsyncIterator[EmulatedSeller]:
    """Run a provider on a free port of this event loop."""
    listener, url = free_port()
    settings = SandboxSettings(
        public_url=f"{url}{PREFIX}".rstrip("/"),
        api_token=API_TOKEN,
        webhook_secret=WEBHOOK_SECRET,
    )
    sandbox = build_sandbox(
        settings, clock=lambda: datetime.now(UTC), new_id=lambda: uuid.uuid4().hex
    )
    seller = EmulatedSeller(name, sandbox, url)
    root = web.Application(middlewares=[seller.answer])
    root.add_subapp(PREFIX, sandbox.app)
    async with serving(root, listener):
        await sandbox.start()
        try:
            yield seller
        finally:
            await sandbox.close()
