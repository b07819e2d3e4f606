"""What a provider's folder gives to the table of providers."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from service.core.ports import Provider
from service.providers.budget import Limits
from service.providers.http import Observe
from service.providers.probe import Probe
from service.providers.settings import AccountSettings


def _as_text(_: str) -> str:
    return "text"


class Builder(Protocol):
    """Builds the adapter of one account."""

    def __call__(
        self, settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
    ) -> Provider:
        """Build it; nothing is sent and no file is read before its first call."""


class Entry(NamedTuple):
    """One provider: its builder, what is wrong with an account, what to try its key with.

    `own_settings` are the settings that only this provider has, each with its meaning; `limits` is what it
    publishes of how much one account may ask. `secret_form` names the encoding of a usable webhook secret.
    """

    build: Builder
    problems: Callable[[AccountSettings], Iterator[str]]
    probe: Callable[[AccountSettings], Probe]
    own_settings: Mapping[str, str] = MappingProxyType({})
    limits: Limits = Limits()
    secret_form: Callable[[str], str] = _as_text
