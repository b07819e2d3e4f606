"""The configured provider accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.errors import ProviderNotConfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.core.ports import Provider


class Directory:
    """Finds a provider account by its two names."""

    def __init__(self, accounts: Iterable[Provider]) -> None:
        self._accounts = {(p.name, p.account): p for p in accounts}

    def get(self, provider: str, account: str) -> Provider:
        """Return the account's adapter. Raises ProviderNotConfigured."""
        found = self._accounts.get((provider, account))
        if found is None:
            raise ProviderNotConfigured(
                f"no account {account!r} of provider {provider!r} is configured; ListProviders names those that are",
                metadata={"provider": provider, "account": account},
            )
        return found

    def all(self) -> Sequence[Provider]:
        """Return every account, by provider, then account."""
        return [self._accounts[names] for names in sorted(self._accounts)]
