"""The values the rules work on; names and field paths equal those of the proto contract."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from msgspec import Struct, field

RESERVED_METADATA_KEY = "checkout_session_id"


class State(enum.Enum):
    """Position of a session in its life cycle."""

    CREATING = "CREATING"
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    UNRESOLVED = "UNRESOLVED"


class PaymentStatus(enum.Enum):
    """Progress of payment, independent of refunds and disputes."""

    UNPAID = "UNPAID"
    PROCESSING = "PROCESSING"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    NO_PAYMENT_REQUIRED = "NO_PAYMENT_REQUIRED"


class ProviderLink(enum.Enum):
    """What the provider's own page does for whoever still has its address."""

    LIVE = "LIVE"
    CLOSED = "CLOSED"
    STILL_PAYABLE = "STILL_PAYABLE"
    UNKNOWN = "UNKNOWN"


class PaymentState(enum.Enum):
    """What the provider says of one payment."""

    PROCESSING = "PROCESSING"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class TimeSource(enum.Enum):
    """Whose clock a payment's time is."""

    PROVIDER = "PROVIDER"
    RECEIPT = "RECEIPT"


class AmountCheck(enum.Enum):
    """How a paid amount compares with the amount due."""

    MATCHED = "MATCHED"
    ABOVE = "ABOVE"
    BELOW = "BELOW"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NOT_COMPARABLE = "NOT_COMPARABLE"


class AmountBasis(enum.Enum):
    """What may be concluded from comparing a paid amount with the total."""

    EXACT = "EXACT"
    AT_LEAST = "AT_LEAST"
    NONE = "NONE"


class DisputeStatus(enum.Enum):
    """Where a dispute of the session's payment stands."""

    NONE = "NONE"
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class TotalsSource(enum.Enum):
    """Where the figures of the totals come from."""

    PROVIDER = "PROVIDER"
    COMPUTED = "COMPUTED"
    ESTIMATED = "ESTIMATED"
    UNKNOWN = "UNKNOWN"


class ExpiryEnforcement(enum.Enum):
    """Who makes a session's end effective."""

    PROVIDER = "PROVIDER"
    GATE = "GATE"
    ADVISORY = "ADVISORY"


class UnknownOutcomeStrategy(enum.Enum):
    """What a retry does after a create whose answer was lost."""

    REPLAY = "REPLAY"
    SEARCH = "SEARCH"
    RECREATE = "RECREATE"
    NEVER = "NEVER"


class ItemKind(enum.Enum):
    """A way to say what a line sells."""

    CATALOG = "CATALOG"
    CATALOG_WITH_PRICE = "CATALOG_WITH_PRICE"
    AD_HOC = "AD_HOC"


class Money(Struct, frozen=True):
    """An exact amount in minor units of an ISO 4217 currency."""

    amount: int
    currency: str


class Address(Struct, frozen=True, omit_defaults=True):
    """A postal address."""

    country: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    first_name: str = ""
    last_name: str = ""


class Customer(Struct, frozen=True, omit_defaults=True):
    """Who pays."""

    customer_id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone_number: str = ""
    company: str = ""
    billing_address: Address | None = None
    shipping_address: Address | None = None
    tax_id: str = ""
    ip_address: str = ""
    locale: str = ""


class Discount(Struct, frozen=True, omit_defaults=True):
    """A reduction by percentage or amount."""

    name: str = ""
    percentage: str = ""
    amount: Money | None = None


class Tax(Struct, frozen=True, omit_defaults=True):
    """A tax of a stated rate in percent."""

    name: str = ""
    percentage: str = ""
    inclusive: bool = False


class AddOn(Struct, frozen=True, omit_defaults=True):
    """Something added to a line."""

    add_on_id: str = ""
    name: str = ""
    price: Money | None = None
    quantity: int | None = None


class LineItem(Struct, frozen=True, omit_defaults=True):
    """One line of a cart; `provider_options` stay plain mappings until the provider decodes its own."""

    product_id: str = ""
    name: str = ""
    unit_price: Money | None = None
    quantity: int | None = None
    decimal_quantity: str = ""
    note: str = ""
    description: str = ""
    variation_name: str = ""
    image_url: str = ""
    add_ons: tuple[AddOn, ...] = ()
    custom_amount: Money | None = None
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    provider_options: dict[str, object] | None = None


class Cart(Struct, frozen=True, omit_defaults=True):
    """What is being paid for, in one currency."""

    line_items: tuple[LineItem, ...] = ()
    currency: str = ""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    discount_codes: tuple[str, ...] = ()
    shipping_fee: Money | None = None


class PaymentMethods(Struct, frozen=True, omit_defaults=True):
    """Ways to pay, in the provider's own names."""

    allowed: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


class BuyerChoices(Struct, frozen=True, omit_defaults=True):
    """What the buyer may decide on the page."""

    tipping: bool | None = None
    discount_codes: bool | None = None


class CreateRequest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A CreateSessionRequest; options are plain mappings until the provider decodes its own."""

    request_id: str = ""
    provider: str
    account: str = "default"
    cart: Cart
    customer: Customer | None = None
    success_url: str = ""
    failure_url: str = ""
    cancel_url: str = ""
    payment_methods: PaymentMethods | None = None
    expire_time: datetime | None = None
    ttl: timedelta | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    reference_id: str = ""
    buyer_choices: BuyerChoices | None = None
    validate_only: bool = False
    provider_options: dict[str, object] | None = None


class Totals(Struct, frozen=True, omit_defaults=True):
    """Amounts due and where they come from."""

    source: TotalsSource
    subtotal: Money | None = None
    discount: Money | None = None
    tax: Money | None = None
    shipping: Money | None = None
    total: Money | None = None


class Payment(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One payment at the provider."""

    provider_payment_id: str
    status: PaymentState
    amount: Money | None = None
    tip: Money | None = None
    payment_time: datetime
    time_source: TimeSource
    late: bool = False
    amount_check: AmountCheck | None = None


class PaymentError(Struct, frozen=True, omit_defaults=True):
    """Why a payment was declined, in the provider's words."""

    code: str = ""
    message: str = ""
    provider_payment_id: str = ""


class SessionWarning(Struct, frozen=True, omit_defaults=True):
    """Something the provider changed or ignored, or this service adjusted."""

    code: str
    field: str = ""
    message: str = ""


class Violation(Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a request: the path of the field in the contract, and what is wrong."""

    field: str
    description: str


class Failure(Struct, frozen=True, omit_defaults=True):
    """Why creation ended without a session, with all a repeat of the call must answer again."""

    reason: str
    provider_code: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()


class CollectedDetails(Struct, frozen=True, omit_defaults=True):
    """What the buyer typed on the provider's page."""

    email: str = ""
    name: str = ""
    phone_number: str = ""
    billing_address: Address | None = None
    shipping_address: Address | None = None
    tax_id: str = ""
    custom_fields: dict[str, str] = field(default_factory=dict)
    customer_id: str = ""


class Refund(Struct, frozen=True):
    """Money returned from one payment, which may be reported later; without amount, what was left of it."""

    payment_id: str
    amount: Money | None


class Dispute(Struct, frozen=True):
    """A dispute of a payment, as of the newest event about it."""

    status: DisputeStatus
    at: datetime


class Session(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A checkout session as stored; what the passing of time changes is applied when it is read."""

    session_id: str
    state: State
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    provider: str
    account: str
    live: bool
    provider_session_id: str = ""
    provider_subscription_id: str = ""
    provider_url: str = ""
    payable_until: datetime | None = None
    link_closed: bool = False
    closable: bool = False
    closing_time: datetime | None = None
    preexisting: bool = False
    expiry_enforcement: ExpiryEnforcement
    cart: Cart
    totals: Totals
    amount_basis: AmountBasis = AmountBasis.NONE
    customer: Customer | None = None
    collected: CollectedDetails | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    reference_id: str = ""
    create_time: datetime
    update_time: datetime
    expire_time: datetime
    end_time: datetime | None = None
    ended_by_request: bool = False
    complete_time: datetime | None = None
    reconciled_time: datetime | None = None
    version: int = 1
    payment_grace: timedelta = timedelta(0)
    authorised: bool = False
    payments: tuple[Payment, ...] = ()
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    last_payment_error: PaymentError | None = None
    warnings: tuple[SessionWarning, ...] = ()
    provider_details: dict[str, object] = field(default_factory=dict)
    failure: Failure | None = None
