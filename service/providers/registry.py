"""The table of providers."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from service.core.ports import Provider
from service.providers.dodo import adapter as dodo
from service.providers.http import Observe
from service.providers.secrets import SecretUnreadableError
from service.providers.settings import AccountSettings


class Builder(Protocol):
    """Builds the adapter of one account."""

    def __call__(
        self, settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
    ) -> Provider:
        """Build it; nothing is sent and no file is read before its first call."""


class Entry(NamedTuple):
    """One provider: its builder, and what it finds wrong with an account's settings."""

    build: Builder
    problems: Callable[[AccountSettings], Iterator[str]]


PROVIDERS: Mapping[str, Entry] = MappingProxyType({"dodo": Entry(dodo.build, dodo.problems)})


def build_provider(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> Provider:
    """Build the adapter of an account without problems; `chance` is a random number from 0 to 1."""
    return PROVIDERS[settings.provider].build(settings, chance=chance, observe=observe)


def problems(settings: AccountSettings) -> list[str]:
    """Return everything that is wrong with an account's settings, without any secret."""
    entry = PROVIDERS.get(settings.provider)
    if entry is None:
        known = ", ".join(sorted(PROVIDERS))
        return [f"provider {settings.provider!r} is unknown; known are {known}"]
    return [*_url_problems(settings), *_key_problems(settings), *entry.problems(settings)]


def _url_problems(settings: AccountSettings) -> Iterator[str]:
    if settings.base_url is None:
        return
    parts = urlsplit(settings.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        yield "base_url is not an http or https address"
    elif settings.live and parts.scheme != "https":
        yield "base_url of a live account is not https"


def _key_problems(settings: AccountSettings) -> Iterator[str]:
    try:
        settings.api_key.current()
    except SecretUnreadableError as error:
        yield f"api_key: {error}"
