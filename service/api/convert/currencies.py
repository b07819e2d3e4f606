"""Currencies from the model to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2

if TYPE_CHECKING:
    from service.core.currencies import Currencies


def currencies_to_proto(currencies: Currencies) -> checkout_service_pb2.ListCurrenciesResponse:
    """Return the answer to ListCurrencies."""
    answer = checkout_service_pb2.ListCurrenciesResponse()
    for one in currencies.known:
        answer.currencies.add(code=one.code, name=one.name, exponent=one.exponent)
    for account in currencies.accounts:
        answer.accounts.add(
            provider=account.provider,
            account=account.account,
            restricted=bool(account.codes),
            codes=sorted(account.codes),
        )
    return answer
