"""Composition root of the sandbox alone: the emulators on an address of their own."""

import base64
from collections.abc import Callable
from datetime import timedelta

from pydantic import SecretStr

from service.config import ListenAddress, SandboxSettings, Settings
from service.core.clock import SystemClock, unguessable_ids
from service.sandbox import app as emulation
from service.sandbox.registry import EMULATIONS
from service.signals import stop_signal
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
        webhook_urls={name: f"{webhooks}/{name}/default" for name in EMULATIONS},
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
        stop = stop_signal()
        tell(_welcome(chosen))
        await stop.wait()
    finally:
        await server.close()
        await sandbox.close()


def _welcome(chosen: emulation.SandboxSettings) -> str:
    names = ", ".join(chosen.webhook_urls)
    lines = [f"export {name}={value}" for name, value in _account_variables(chosen).items()]
    return (
        f"The sandbox emulates {names} at {chosen.public_url} and sends their webhooks.\n"
        "To use it, start the service with\n\n"
        + "".join(f"  {line}\n" for line in (*lines, "checkout serve"))
    )


def _account_variables(chosen: emulation.SandboxSettings) -> dict[str, str]:
    variables: dict[str, str] = {}
    for provider in chosen.webhook_urls:
        account = f"CHECKOUT_PROVIDERS__{provider.upper()}__DEFAULT__"
        own = chosen.own_settings(provider).items()
        variables |= {
            f"{account}BASE_URL": f"{chosen.public_url}/{provider}",
            f"{account}API_KEY": chosen.api_token,
            f"{account}WEBHOOK_SECRETS": chosen.webhook_secret,
            **{f"{account}{name.upper()}": value for name, value in own},
        }
    return variables


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
