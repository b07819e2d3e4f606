"""Composition root of the sandbox: builds every emulated provider, its page and its webhooks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from aiohttp import web

from service.sandbox.delivery import WebhookSender
from service.sandbox.dodo.catalogue import demo_catalogue
from service.sandbox.dodo.emulator import DodoEmulator
from service.sandbox.dodo.events import EventSender
from service.sandbox.emulator import Emulator
from service.sandbox.page.pages import Pages
from service.sandbox.service import SandboxServicer

PREFIX = "/sandbox/"
HOUR = 3600.0
# https://docs.dodopayments.com/developer-resources/webhooks: eight tries, the first at once.
RETRY_DELAYS = (0.0, 5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox needs to know; `public_url` is where browsers and adapters reach it.

    `retry_scale` multiplies the documented delays between webhook tries: 1 keeps them, 0.001 makes
    a demo quick. Only the newest `retention` sessions of each provider are kept.
    """

    public_url: str
    api_token: str
    webhook_secret: str
    webhook_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    retry_scale: float = 1.0
    retention: int = 10_000

    def __repr__(self) -> str:
        return f"SandboxSettings(public_url={self.public_url!r})"


class Sandbox:
    """The running sandbox: `app` is mounted under `/sandbox/`, `servicer` joins a gRPC server."""

    def __init__(self, *, emulators: Sequence[Emulator], sender: WebhookSender) -> None:
        self.emulators = {emulator.provider: emulator for emulator in emulators}
        self.servicer = SandboxServicer(emulators)
        self.app = web.Application()
        Pages(emulators).register(self.app)
        for emulator in emulators:
            self.app.add_subapp(f"/{emulator.provider}/", emulator.app)
        self._sender = sender

    async def start(self) -> None:
        """Get ready to send webhooks."""
        await self._sender.start()

    async def close(self) -> None:
        """Give up pending webhooks."""
        await self._sender.close()

    def standalone(self) -> web.Application:
        """Return an application that serves the sandbox alone, under the same paths."""
        root = web.Application()
        root.add_subapp(PREFIX, self.app)
        return root


def build_sandbox(
    settings: SandboxSettings,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Sandbox:
    """Build the sandbox; `clock` answers in UTC and `new_id` a fresh, unguessable word."""
    sender = WebhookSender(
        secret=settings.webhook_secret,
        delays=[delay * settings.retry_scale for delay in RETRY_DELAYS],
        clock=clock,
        sleep=sleep,
    )
    dodo = DodoEmulator(
        api_token=settings.api_token,
        public_url=settings.public_url,
        catalogue=demo_catalogue(),
        events=EventSender(
            sender=sender,
            url=settings.webhook_urls.get(DodoEmulator.provider),
            clock=clock,
            new_id=new_id,
        ),
        retention=settings.retention,
        clock=clock,
        new_id=new_id,
    )
    return Sandbox(emulators=[dodo], sender=sender)
