"""The table of providers."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from service.core.ports import Provider
from service.providers.budget import Limits
from service.providers.clover import adapter as clover
from service.providers.clover.capabilities import LIMITS as CLOVER_LIMITS
from service.providers.clover.settings import OWN_SETTINGS as CLOVER_SETTINGS
from service.providers.dodo import adapter as dodo
from service.providers.fastspring import adapter as fastspring
from service.providers.fastspring.settings import OWN_SETTINGS as FASTSPRING_SETTINGS
from service.providers.http import Observe
from service.providers.probe import Probe
from service.providers.sellapp import adapter as sellapp
from service.providers.sellapp.settings import OWN_SETTINGS as SELLAPP_SETTINGS
from service.providers.settings import AccountSettings
from service.providers.square import adapter as square
from service.providers.square.settings import OWN_SETTINGS as SQUARE_SETTINGS


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


PROVIDERS: Mapping[str, Entry] = MappingProxyType(
    {
        "clover": Entry(
            clover.build, clover.problems, clover.probe, CLOVER_SETTINGS, CLOVER_LIMITS
        ),
        "dodo": Entry(
            dodo.build,
            dodo.problems,
            dodo.probe,
            limits=dodo.LIMITS,
            secret_form=dodo.secret_form,
        ),
        "fastspring": Entry(
            fastspring.build, fastspring.problems, fastspring.probe, FASTSPRING_SETTINGS
        ),
        "sellapp": Entry(sellapp.build, sellapp.problems, sellapp.probe, SELLAPP_SETTINGS),
        "square": Entry(square.build, square.problems, square.probe, SQUARE_SETTINGS),
    }
)


def build_provider(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> Provider:
    """Build the adapter of an account without problems; `chance` is a random number from 0 to 1."""
    return PROVIDERS[settings.provider].build(settings, chance=chance, observe=observe)
