"""What a request may say for FastSpring alone, by the field names of the contract."""

import enum
from typing import TypeVar

import msgspec
from msgspec import Struct

from service.core.model import CreateRequest, LineItem, Money

T = TypeVar("T")


class ShipToType(enum.Enum):
    """Whom the goods are for."""

    SAME_AS_BILL_TO = "SHIP_TO_TYPE_SAME_AS_BILL_TO"
    SHIP_TO = "SHIP_TO_TYPE_SHIP_TO"
    GIFT_PURCHASE = "SHIP_TO_TYPE_GIFT_PURCHASE"


class QuantityBehavior(enum.Enum):
    """What the buyer may do with the quantity."""

    ALLOW = "QUANTITY_BEHAVIOR_ALLOW"
    LOCK = "QUANTITY_BEHAVIOR_LOCK"
    HIDE = "QUANTITY_BEHAVIOR_HIDE"


class Unit(enum.Enum):
    """Unit of a billing interval."""

    DAY = "UNIT_DAY"
    WEEK = "UNIT_WEEK"
    MONTH = "UNIT_MONTH"
    YEAR = "UNIT_YEAR"
    ON_DEMAND = "UNIT_ON_DEMAND"


class ShipToContact(Struct, frozen=True):
    """The recipient of the goods."""

    email: str = ""
    phone_number: str = ""
    company: str = ""


class FastspringOptions(Struct, frozen=True):
    """Options of a session."""

    external_account_id: str = ""
    account_tags: dict[str, str] = msgspec.field(default_factory=dict)
    ship_to_type: ShipToType | None = None
    ship_to_contact: ShipToContact | None = None
    tax_id_region: str = ""
    live: bool | None = None


class Descriptions(Struct, frozen=True):
    """Texts of a line by language."""

    display: dict[str, str] = msgspec.field(default_factory=dict)
    instructions: dict[str, str] = msgspec.field(default_factory=dict)
    summary: dict[str, str] = msgspec.field(default_factory=dict)


class QuantityDiscount(Struct, frozen=True):
    """A discount from a quantity on."""

    min_quantity: int | None = None
    percentage: str = ""
    amounts: tuple[Money, ...] = ()


class BillingInterval(Struct, frozen=True):
    """How often a subscription is charged."""

    unit: Unit | None = None
    length: int | None = None
    count: int | None = None


class Subscription(Struct, frozen=True):
    """How a subscription departs from its plan."""

    billing_interval: BillingInterval | None = None
    trial_period_days: int | None = None


class FastspringLineItemOptions(Struct, frozen=True):
    """Options of a line."""

    quantity_behavior: QuantityBehavior | None = None
    quantity_default: int | None = None
    descriptions: Descriptions | None = None
    unit_prices: tuple[Money, ...] = ()
    quantity_discounts: tuple[QuantityDiscount, ...] = ()
    discount_duration: int | None = None
    setup_fees: tuple[Money, ...] = ()
    eds_fees: tuple[Money, ...] = ()
    shipping_fees: tuple[Money, ...] = ()
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    subscription: Subscription | None = None


def session_options(request: CreateRequest) -> FastspringOptions:
    """Decode the session's options; all absent where the request has none."""
    return _decoded(request.provider_options, FastspringOptions)


def line_options(item: LineItem) -> FastspringLineItemOptions:
    """Decode a line's options."""
    return _decoded(item.provider_options, FastspringLineItemOptions)


def _decoded(options: dict[str, object] | None, kind: type[T]) -> T:
    mine = options.get("fastspring") if options else None
    # JSON of protobuf writes 64-bit numbers as text, hence not strict.
    return msgspec.convert(mine, kind, strict=False) if mine else kind()
