"""What a provider's folder brings to the sandbox: how it is built and how its webhooks are sent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from service.sandbox.delivery import Signer, WebhookSender
from service.sandbox.emulator import Emulator

HOUR = 3600.0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What an emulator is built from; without a webhook URL it sends no webhooks."""

    api_token: str
    public_url: str
    sender: WebhookSender
    webhook_url: str | None
    retention: int
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def url_of(self, provider: str) -> str:
        """Return where an emulated provider is reached."""
        return f"{self.public_url.rstrip('/')}/{provider}"


class Emulation(NamedTuple):
    """One emulated provider.

    `signer` is given the sandbox's webhook secret; `retry_delays` are the seconds before each try of a
    webhook. `own_settings` are what an account is set up with beyond what every account has.
    """

    build: Callable[[Surroundings], Emulator]
    signer: Callable[[str, Callable[[], datetime]], Signer]
    retry_delays: tuple[float, ...]
    own_settings: Mapping[str, str] = MappingProxyType({})
    registers_url: bool = False
    """Whether an account must know the URL that its webhooks are sent to."""
