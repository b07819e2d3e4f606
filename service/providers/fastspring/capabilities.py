"""What an account of FastSpring can do."""

from datetime import timedelta

from service.core.capability import Capabilities, MetadataLimits
from service.core.model import ExpiryEnforcement, ItemKind, UnknownOutcomeStrategy
from service.core.money import MAX_AMOUNT
from service.providers.fastspring.enums import CURRENCIES
from service.providers.fastspring.webhooks import EVENTS

LIFETIME = timedelta(hours=24)

CAPABILITIES = Capabilities(
    retrieve=True,
    lists_payments=True,
    cancel=False,
    expiry_enforcement=ExpiryEnforcement.PROVIDER,
    min_lifetime=timedelta(minutes=1),
    max_lifetime=LIFETIME,
    default_lifetime=LIFETIME,
    unknown_outcome_strategy=UnknownOutcomeStrategy.RECREATE,
    item_kinds=frozenset({ItemKind.CATALOG, ItemKind.CATALOG_WITH_PRICE}),
    request_fields=frozenset(
        {
            "cart.discount_codes",
            "cart.line_items.description",
            "cart.line_items.discounts.amount",
            "cart.line_items.discounts.percentage",
            "cart.line_items.image_url",
            "cart.line_items.product_id",
            "cart.line_items.provider_options.fastspring",
            "cart.line_items.quantity",
            "cart.line_items.unit_price",
            "cart.shipping_fee",
            "customer.billing_address.city",
            "customer.billing_address.country",
            "customer.billing_address.line1",
            "customer.billing_address.line2",
            "customer.billing_address.postal_code",
            "customer.billing_address.region",
            "customer.company",
            "customer.customer_id",
            "customer.email",
            "customer.first_name",
            "customer.ip_address",
            "customer.last_name",
            "customer.locale",
            "customer.phone_number",
            "customer.shipping_address",
            "customer.tax_id",
            "payment_methods.hidden",
            "payment_methods.order",
            "provider_options.fastspring",
        }
    ),
    # FastSpring documents no limit of lines, quantities and tags: these are the contract's.
    max_line_items=500,
    max_amount=MAX_AMOUNT,
    max_quantity=2**31 - 1,
    zero_quantity=False,
    max_discount_codes=1,
    metadata=MetadataLimits(max_pairs=49, max_key_length=60, max_value_length=500),
    currencies=CURRENCIES,
    webhook_events=EVENTS,
    webhook_signature="fastspring-hmacsha256",
    subscriptions=True,
)
