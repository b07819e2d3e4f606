"""Composition root of the sandbox: builds every emulated provider, its page and its webhooks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from aiohttp import web

from service.sandbox.delivery import WebhookSender
from service.sandbox.emulation import Surroundings
from service.sandbox.emulator import Emulator
from service.sandbox.page.pages import Pages
from service.sandbox.registry import EMULATIONS
from service.sandbox.service import SandboxServicer

PREFIX = "/sandbox/"

Clock = Callable[[], datetime]
NewId = Callable[[], str]
Sleep = Callable[[float], Awaitable[object]]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox needs to know; `public_url` is where browsers and adapters reach it.

    `retry_scale` multiplies the documented delays between webhook tries: 1 keeps them, 0.001 makes
    a demo quick. Only the newest `retention` sessions of each provider are kept. A provider without a
    webhook URL sends no webhooks.
    """

    public_url: str
    api_token: str
    webhook_secret: str
    webhook_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    retry_scale: float = 1.0
    retention: int = 10_000

    def own_settings(self, provider: str) -> dict[str, str]:
        """Return what an account at an emulated provider is set up with beyond what every one has."""
        emulation = EMULATIONS[provider]
        url = self.webhook_urls.get(provider)
        registered = {"webhook_url": url} if emulation.registers_url and url else {}
        return {**emulation.own_settings, **registered}

    def __repr__(self) -> str:
        return f"SandboxSettings(public_url={self.public_url!r})"


class Sandbox:
    """The running sandbox: `app` is mounted under `/sandbox/`, `servicer` joins a gRPC server."""

    def __init__(self, *, emulators: Sequence[Emulator], senders: Sequence[WebhookSender]) -> None:
        self.emulators = {emulator.provider: emulator for emulator in emulators}
        self.servicer = SandboxServicer(emulators)
        self.app = web.Application()
        Pages(emulators).register(self.app)
        for emulator in emulators:
            self.app.add_subapp(f"/{emulator.provider}/", emulator.app)
        self._senders = tuple(senders)

    async def start(self) -> None:
        """Get ready to send webhooks."""
        for sender in self._senders:
            await sender.start()

    async def close(self) -> None:
        """Give up pending webhooks."""
        for sender in self._senders:
            await sender.close()

    def standalone(self) -> web.Application:
        """Return an application that serves the sandbox alone, under the same paths."""
        root = web.Application()
        root.add_subapp(PREFIX, self.app)
        return root


def build_sandbox(
    settings: SandboxSettings, *, clock: Clock, new_id: NewId, sleep: Sleep = asyncio.sleep
) -> Sandbox:
    """Build the sandbox; `clock` answers in UTC and `new_id` a fresh, unguessable word."""
    emulators, senders = [], []
    for provider, emulation in EMULATIONS.items():
        sender = WebhookSender(
            signer=emulation.signer(settings.webhook_secret, clock),
            delays=[delay * settings.retry_scale for delay in emulation.retry_delays],
            sleep=sleep,
        )
        surroundings = Surroundings(
            api_token=settings.api_token,
            public_url=settings.public_url,
            sender=sender,
            webhook_url=settings.webhook_urls.get(provider),
            retention=settings.retention,
            clock=clock,
            new_id=new_id,
        )
        senders.append(sender)
        emulators.append(emulation.build(surroundings))
    return Sandbox(emulators=emulators, senders=senders)
