"""What a Clover account can do, all of it documented; the rest is refused by name."""

from datetime import timedelta

import msgspec

from service.core.capability import Capabilities, MetadataLimits
from service.core.model import ExpiryEnforcement, ItemKind, UnknownOutcomeStrategy
from service.core.money import MAX_AMOUNT
from service.providers.budget import Limits, Rate
from service.providers.clover.transformers import LIFETIME
from service.providers.clover.webhooks import EVENTS

# For a token: 5 calls at once and 16 a second, which a full burst and what a second refills stay within.
LIMITS = Limits(connections=5, rate=Rate(per_second=12, burst=4))

CAPABILITIES = Capabilities(
    # There is no documented call to read or to end a checkout.
    retrieve=False,
    cancel=False,
    expiry_enforcement=ExpiryEnforcement.PROVIDER,
    min_lifetime=timedelta(minutes=1),
    max_lifetime=LIFETIME,
    default_lifetime=LIFETIME,
    unknown_outcome_strategy=UnknownOutcomeStrategy.RECREATE,
    item_kinds=frozenset({ItemKind.AD_HOC, ItemKind.CATALOG}),
    request_fields=frozenset(
        {
            "buyer_choices.tipping",
            "cancel_url",
            "cart.line_items.name",
            "cart.line_items.note",
            "cart.line_items.product_id",
            "cart.line_items.quantity",
            "cart.line_items.taxes.name",
            "cart.line_items.taxes.percentage",
            "cart.line_items.unit_price",
            "customer.email",
            "customer.first_name",
            "customer.last_name",
            "customer.phone_number",
            "failure_url",
            "provider_options.clover",
            "success_url",
        }
    ),
    # Clover publishes no limits: these are the contract's.
    max_line_items=500,
    max_amount=MAX_AMOUNT,
    max_quantity=2**31 - 1,
    zero_quantity=False,
    max_discount_codes=0,
    # Kept here and never sent: Clover has no place for it.
    metadata=MetadataLimits(max_pairs=49, max_key_length=60, max_value_length=500),
    currencies=frozenset(),
    webhook_events=EVENTS,
    webhook_signature="clover-hmacsha256",
    subscriptions=False,
)


def capabilities_of(currency: str) -> Capabilities:
    """Return what an account of a merchant with this currency can do."""
    return msgspec.structs.replace(CAPABILITIES, currencies=frozenset({currency}))
