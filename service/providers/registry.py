"""The table of providers."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from service.core.ports import Provider
from service.providers.entry import Entry
from service.providers.http import Observe
from service.providers.settings import AccountSettings


class Providers(Mapping[str, Entry]):
    """Entries by name, each imported when it is asked for: a start need not wait for what has no account."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Entry:
        """Return the `ENTRY` of a provider's module."""
        entry: Entry = import_module(self._modules[name]).ENTRY
        return entry

    def __contains__(self, name: object) -> bool:
        """Tell whether a name is a provider's."""
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._modules)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._modules)


PROVIDERS: Mapping[str, Entry] = Providers(
    {
        "clover": "service.providers.clover.adapter",
        "dodo": "service.providers.dodo.adapter",
        "fastspring": "service.providers.fastspring.adapter",
        "sellapp": "service.providers.sellapp.adapter",
        "square": "service.providers.square.adapter",
    }
)


def build_provider(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> Provider:
    """Build the adapter of an account without problems; `chance` is a random number from 0 to 1."""
    return PROVIDERS[settings.provider].build(settings, chance=chance, observe=observe)
