"""Composition root of the sandbox alone: the emulators on an address of their own."""

import asyncio
import base64
import signal
from collections.abc import Callable
from datetime import timedelta

from pydantic import SecretStr

from service.config import ListenAddress, SandboxSettings, Settings
from service.core.clock import SystemClock, unguessable_ids
from service.sandbox import app as emulation
from service.web.server import WebServer

DRAIN = timedelta(seconds=2)


def sandbox_settings(
    settings: SandboxSettings,
    *,
    address: ListenAddress,
    webhooks: str,
    new_id: Callable[[], str],
) -> emulation.SandboxSettings:
    """Fill in what nobody set: a token, a secret and URLs made of the addresses in use."""
    secret = base64.b64encode((new_id() + new_id()).encode()).decode()
    return emulation.SandboxSettings(
        public_url=settings.public_url or f"http://{address.reachable}/sandbox",
        api_token=_revealed(settings.api_token) or f"sandbox_{new_id()}",
        webhook_secret=_revealed(settings.webhook_secret) or f"whsec_{secret}",
        webhook_urls={"dodo": f"{webhooks}/dodo/default"},
    )


async def serve_sandbox(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run the emulators until the process is told to stop; `tell` is given what to know."""
    address, new_id = settings.sandbox.address, unguessable_ids()
    server = WebServer(host=address.host, port=address.port, drain=DRAIN)
    bound = ListenAddress(address.host, server.bind())
    receiver = settings.sandbox.webhook_url or f"http://{settings.web.address.reachable}/webhooks"
    chosen = sandbox_settings(settings.sandbox, address=bound, webhooks=receiver, new_id=new_id)
    sandbox = emulation.build_sandbox(chosen, clock=SystemClock().now, new_id=new_id)
    await sandbox.start()
    try:
        await server.start(sandbox.standalone())
        tell(_welcome(chosen))
        await _told_to_stop()
    finally:
        await server.close()
        await sandbox.close()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _welcome(chosen: emulation.SandboxSettings) -> str:
    account = "CHECKOUT_PROVIDERS__DODO__DEFAULT__"
    return (
        f"The sandbox emulates Dodo Payments at {chosen.public_url}/dodo and sends webhooks to\n"
        f"{chosen.webhook_urls['dodo']}. To use it, start the service with\n\n"
        f"  export {account}BASE_URL={chosen.public_url}/dodo\n"
        f"  export {account}API_KEY={chosen.api_token}\n"
        f"  export {account}WEBHOOK_SECRETS={chosen.webhook_secret}\n"
        "  checkout serve\n"
    )


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
