"""Capabilities are told as they are declared."""

from __future__ import annotations

import msgspec

from service.api.convert.provider import providers_to_proto
from tests.api.convert.filling import lacking
from tests.core.scripted import ScriptedProvider


def declaring_everything() -> ScriptedProvider:
    """Return a provider none of whose capabilities is zero or empty."""
    provider = ScriptedProvider()
    provider.live = True
    provider.capabilities = msgspec.structs.replace(
        provider.capabilities,
        cancel=True,
        zero_quantity=True,
        subscriptions=True,
        lists_payments=True,
        max_discount_codes=3,
        currencies=frozenset({"USD", "EUR"}),
        webhook_signature="standard-webhooks-v1",
    )
    return provider


def test_no_capability_is_left_out() -> None:
    """An account that can do everything sets every field of the contract."""
    (account,) = providers_to_proto([declaring_everything()]).accounts
    assert list(lacking(account)) == []


def test_sets_are_told_in_order() -> None:
    """The same account is told the same way each time."""
    (account,) = providers_to_proto([declaring_everything()]).accounts
    capabilities = account.capabilities
    assert list(capabilities.currencies) == ["EUR", "USD"]
    assert list(capabilities.request_fields) == sorted(capabilities.request_fields)
    assert list(capabilities.item_kinds) == sorted(capabilities.item_kinds)
