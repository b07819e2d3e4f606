"""A provider that counts: it speaks for Dodo Payments, outlives every service, and fails as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import NamedTuple

from aiohttp import web

from tests.e2e.wire.provider import account
from tests.torture.points import ANYWHERE
from tests.torture.trade import Trade

TIMEOUTS = {"timeout": "4s", "connect_timeout": "500ms"}
TRADE = Trade(
    fields={},
    acts=("leave", "pay", "end", "pay and end", "end and pay"),
    points=ANYWHERE,
)


class Asked(NamedTuple):
    """For which session a request came in, and in which life of the service."""

    session_id: str
    life: int


Respond = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


class CountingProvider:
    """Makes pages, and remembers for which session and in which life of the service."""

    trade = TRADE

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.made: dict[str, list[int]] = defaultdict(list)
        self.respond: Respond = self.opens
        self.url = ""
        self._numbers = count(1)

    @property
    def settings(self) -> dict[str, str]:
        """The environment that configures an account here."""
        return self.settings_of(0)

    def settings_of(self, life: int) -> dict[str, str]:
        """The same for one life of a service, whose requests are known by their path."""
        return account(f"{self.url}/{life}", **TIMEOUTS)

    def be_moody(self, chance: Random) -> None:
        """Make a page, mostly, and take some time."""
        self.respond = Moods(self, chance).well

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answer `POST /checkouts` of a life."""
        body = await request.json()
        session_id = str(body["metadata"]["checkout_session_id"])
        self.asked[session_id] += 1
        return await self.respond(request, Asked(session_id, int(request.match_info["life"])))

    async def opens(self, _: web.Request, asked: Asked) -> web.StreamResponse:
        """Make a page."""
        self.made[asked.session_id].append(asked.life)
        number = f"cks_{next(self._numbers)}"
        answer = {"session_id": number, "checkout_url": f"{self.url}/session/{number}"}
        return web.json_response(answer)

    async def opens_and_hangs(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Make a page and tell nobody."""
        await self.opens(request, asked)
        return await self.hangs(request, asked)

    async def hangs(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Answer nothing as long as anybody waits."""
        while request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.05)
        return web.Response()

    async def refuses(self, _: web.Request, asked: Asked) -> web.StreamResponse:
        """Refuse in the shape of Dodo Payments, and make nothing."""
        refusal = {"code": "PRODUCT_NOT_FOUND", "message": "There is no such product."}
        return web.json_response(refusal, status=422)

    async def rejects_the_key(self, _: web.Request, asked: Asked) -> web.StreamResponse:
        """Refuse the account's credentials, and make nothing."""
        return web.json_response({"code": "UNAUTHORIZED", "message": "Wrong key."}, status=401)

    async def resets(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Tear the connection down, and make nothing."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


class Moods:
    """A provider that takes its time, and now and then refuses or tears a connection down."""

    def __init__(self, provider: CountingProvider, chance: Random) -> None:
        self._provider = provider
        self._chance = chance

    async def well(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Make a page, mostly."""
        await asyncio.sleep(self._chance.random() / 30)
        mood, provider = self._chance.random(), self._provider
        if mood < 0.01:
            return await provider.refuses(request, asked)
        if mood < 0.04:
            return await provider.resets(request, asked)
        return await provider.opens(request, asked)

    async def dark(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Make nothing, and say nothing or tear the connection down."""
        if self._chance.random() < 0.5:
            return await self._provider.resets(request, asked)
        return await self._provider.hangs(request, asked)


@asynccontextmanager
async def counting_provider() -> AsyncIterator[CountingProvider]:
    """Run a provider on a free port of this event loop."""
    provider = CountingProvider()
    application = web.Application()
    application.router.add_post("/{life}/checkouts", provider.create)
    runner = web.AppRunner(application, handle_signals=False, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
