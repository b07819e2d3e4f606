"""Composition root of the sandbox: builds every emulated provider, its page and its webhooks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from aiohttp import web

from service.sandbox.delivery import Signer, StandardSigner, WebhookSender
from service.sandbox.dodo.catalogue import demo_catalogue as dodo_catalogue
from service.sandbox.dodo.emulator import DodoEmulator
from service.sandbox.dodo.events import EventSender as DodoEvents
from service.sandbox.emulator import Emulator
from service.sandbox.page.pages import Pages
from service.sandbox.service import SandboxServicer
from service.sandbox.square.catalogue import LOCATION_ID
from service.sandbox.square.catalogue import demo_catalogue as square_catalogue
from service.sandbox.square.emulator import SquareEmulator
from service.sandbox.square.events import EventSender as SquareEvents
from service.sandbox.square.signatures import SquareSigner

PREFIX = "/sandbox/"
HOUR = 3600.0
# https://docs.dodopayments.com/developer-resources/webhooks: eight tries, the first at once.
RETRY_DELAYS = (0.0, 5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
# https://developer.squareup.com/docs/webhooks/troubleshooting: for 24 hours, in pauses that double
# from a minute and then stay at an hour, as the older text has them.
SQUARE_RETRY_DELAYS = (0.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, *(22 * (HOUR,)))

Clock = Callable[[], datetime]
NewId = Callable[[], str]
Sleep = Callable[[float], Awaitable[object]]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox needs to know; `public_url` is where browsers and adapters reach it.

    `retry_scale` multiplies the documented delays between webhook tries: 1 keeps them, 0.001 makes
    a demo quick. Only the newest `retention` sessions of each provider are kept. Square is emulated
    where it has a webhook URL or `has_square` says so; its events are signed with the same secret,
    taken as plain text, and its orders belong to `square_location_id`.
    """

    public_url: str
    api_token: str
    webhook_secret: str
    webhook_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    retry_scale: float = 1.0
    retention: int = 10_000
    has_square: bool = False

    @property
    def square_location_id(self) -> str:
        """Return the location that a Square account is set up with."""
        return LOCATION_ID

    @property
    def emulates_square(self) -> bool:
        """Tell whether Square is among the emulated providers."""
        return self.has_square or SquareEmulator.provider in self.webhook_urls

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

    def sender(signer: Signer, delays: Sequence[float]) -> WebhookSender:
        scaled = [delay * settings.retry_scale for delay in delays]
        return WebhookSender(signer=signer, delays=scaled, sleep=sleep)

    standard = StandardSigner(secret=settings.webhook_secret, clock=clock)
    senders = [sender(standard, RETRY_DELAYS)]
    emulators: list[Emulator] = [_dodo(settings, senders[0], clock=clock, new_id=new_id)]
    if settings.emulates_square:
        signer = SquareSigner(key=settings.webhook_secret)
        senders.append(sender(signer, SQUARE_RETRY_DELAYS))
        emulators.append(_square(settings, senders[1], clock=clock, new_id=new_id))
    return Sandbox(emulators=emulators, senders=senders)


def _dodo(
    settings: SandboxSettings, sender: WebhookSender, *, clock: Clock, new_id: NewId
) -> DodoEmulator:
    url = settings.webhook_urls.get(DodoEmulator.provider)
    return DodoEmulator(
        api_token=settings.api_token,
        public_url=settings.public_url,
        catalogue=dodo_catalogue(),
        events=DodoEvents(sender=sender, url=url, clock=clock, new_id=new_id),
        retention=settings.retention,
        clock=clock,
        new_id=new_id,
    )


def _square(
    settings: SandboxSettings, sender: WebhookSender, *, clock: Clock, new_id: NewId
) -> SquareEmulator:
    url = settings.webhook_urls.get(SquareEmulator.provider)
    return SquareEmulator(
        api_token=settings.api_token,
        public_url=settings.public_url,
        catalogue=square_catalogue(),
        events=SquareEvents(sender=sender, url=url, clock=clock, new_id=new_id),
        retention=settings.retention,
        clock=clock,
        new_id=new_id,
    )
