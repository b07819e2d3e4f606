"""What each of Square's two calls can do."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from service.core.capability import Capabilities, MetadataLimits
from service.core.model import ExpiryEnforcement, ItemKind, UnknownOutcomeStrategy
from service.core.money import MAX_AMOUNT
from service.providers.square.settings import Call
from service.providers.square.webhooks import EVENTS

DAY = timedelta(days=1)
CHECKOUT_LIFETIME = 180 * DAY
# Square may delete an order that nobody has begun to pay after 30 days, and what its link does then is not said.
LONGEST_LINK = 30 * DAY
# A payment link has no end of its own.
LINK_LIFETIME = 3650 * DAY
LIFETIMES: Mapping[Call, timedelta] = {
    Call.LINKS: LINK_LIFETIME,
    Call.CHECKOUTS: CHECKOUT_LIFETIME,
}

OF_BOTH = frozenset(
    {
        "cart.discounts",
        "cart.line_items.add_ons",
        "cart.line_items.decimal_quantity",
        "cart.line_items.discounts",
        "cart.line_items.name",
        "cart.line_items.note",
        "cart.line_items.product_id",
        "cart.line_items.quantity",
        "cart.line_items.taxes",
        "cart.line_items.unit_price",
        "cart.line_items.variation_name",
        "cart.shipping_fee",
        "cart.taxes",
        "customer.customer_id",
        "customer.email",
        "customer.first_name",
        "customer.last_name",
        "customer.phone_number",
        "customer.shipping_address",
        "provider_options.square",
        "success_url",
    }
)
OF_LINKS = frozenset(
    {"buyer_choices.discount_codes", "buyer_choices.tipping", "payment_methods.allowed"}
)

LINKS = Capabilities(
    retrieve=True,
    cancel=True,
    expiry_enforcement=ExpiryEnforcement.PROVIDER,
    min_lifetime=timedelta(minutes=1),
    max_lifetime=LONGEST_LINK,
    default_lifetime=DAY,
    unknown_outcome_strategy=UnknownOutcomeStrategy.REPLAY,
    item_kinds=frozenset(ItemKind),
    request_fields=OF_BOTH | OF_LINKS,
    max_line_items=500,
    max_amount=MAX_AMOUNT,
    max_quantity=2**31 - 1,
    zero_quantity=True,
    max_discount_codes=0,
    metadata=MetadataLimits(max_pairs=9, max_key_length=60, max_value_length=255),
    currencies=frozenset(),
    webhook_events=EVENTS,
    webhook_signature="square-hmacsha256",
    subscriptions=True,
    lists_payments=True,
)
CHECKOUTS = msgspec.structs.replace(
    LINKS,
    retrieve=False,
    cancel=False,
    max_lifetime=CHECKOUT_LIFETIME,
    request_fields=OF_BOTH,
    subscriptions=False,
)


def capabilities_of(call: Call, currency: str) -> Capabilities:
    """Return what an account with this call and this currency can do."""
    declared = LINKS if call is Call.LINKS else CHECKOUTS
    return msgspec.structs.replace(declared, currencies=frozenset({currency}))
