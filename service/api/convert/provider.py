"""Provider accounts and their capabilities from the model to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2, provider_pb2
from service.api.convert.times import span_to_proto
from service.core.model import ExpiryEnforcement, ItemKind, UnknownOutcomeStrategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.core.capability import Capabilities
    from service.core.ports import Provider

ENFORCEMENTS = {
    enforcement: provider_pb2.ExpiryEnforcement.Value(f"EXPIRY_ENFORCEMENT_{enforcement.name}")
    for enforcement in ExpiryEnforcement
}
_STRATEGIES = {
    strategy: provider_pb2.UnknownOutcomeStrategy.Value(f"UNKNOWN_OUTCOME_STRATEGY_{strategy.name}")
    for strategy in UnknownOutcomeStrategy
}
_ITEM_KINDS = {kind: provider_pb2.ItemKind.Value(f"ITEM_KIND_{kind.name}") for kind in ItemKind}


def providers_to_proto(
    providers: Iterable[Provider],
) -> checkout_service_pb2.ListProvidersResponse:
    """Return the answer that lists provider accounts, in their order."""
    answer = checkout_service_pb2.ListProvidersResponse()
    for provider in providers:
        account = answer.accounts.add(
            provider=provider.name, account=provider.account, live=provider.live
        )
        _capabilities_to_proto(provider.capabilities, account.capabilities)
    return answer


def _capabilities_to_proto(capabilities: Capabilities, message: provider_pb2.Capabilities) -> None:
    message.retrieve = capabilities.retrieve
    message.cancel = capabilities.cancel
    message.expiry_enforcement = ENFORCEMENTS[capabilities.expiry_enforcement]
    span_to_proto(capabilities.min_lifetime, message.min_lifetime)
    span_to_proto(capabilities.max_lifetime, message.max_lifetime)
    span_to_proto(capabilities.default_lifetime, message.default_lifetime)
    message.unknown_outcome_strategy = _STRATEGIES[capabilities.unknown_outcome_strategy]
    message.item_kinds.extend(sorted(_ITEM_KINDS[kind] for kind in capabilities.item_kinds))
    message.request_fields.extend(sorted(capabilities.request_fields))
    message.max_line_items = capabilities.max_line_items
    message.max_amount = capabilities.max_amount
    message.max_quantity = capabilities.max_quantity
    message.zero_quantity = capabilities.zero_quantity
    message.max_discount_codes = capabilities.max_discount_codes
    message.metadata.max_pairs = capabilities.metadata.max_pairs
    message.metadata.max_key_length = capabilities.metadata.max_key_length
    message.metadata.max_value_length = capabilities.metadata.max_value_length
    message.currencies.extend(sorted(capabilities.currencies))
    message.webhook_events.extend(sorted(capabilities.webhook_events))
    message.webhook_signature = capabilities.webhook_signature
    message.subscriptions = capabilities.subscriptions
    message.lists_payments = capabilities.lists_payments
