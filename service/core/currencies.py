"""Listing currencies, and which of them the configured accounts take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from service.core import money

if TYPE_CHECKING:
    from service.core.directory import Directory


class AccountCurrencies(Struct, frozen=True):
    """The only currencies an account can be told to charge in; none where it declares none."""

    provider: str
    account: str
    codes: frozenset[str]


class Currencies(Struct, frozen=True):
    """Every currency by code, and every account by provider, then account."""

    known: tuple[money.Currency, ...]
    accounts: tuple[AccountCurrencies, ...]


class ListCurrencies:
    """Lists the currencies there are and what accounts make of them."""

    def __init__(self, *, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self) -> Currencies:
        """Return all of them."""
        accounts = [
            AccountCurrencies(one.name, one.account, one.capabilities.currencies)
            for one in self._directory.all()
        ]
        return Currencies(tuple(money.currencies()), tuple(accounts))
