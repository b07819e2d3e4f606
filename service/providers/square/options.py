"""What a request may say for Square alone, by the field names of the contract."""

import enum

import msgspec
from msgspec import Struct

from service.core.model import CreateRequest, Money


class CalculationPhase(enum.Enum):
    """When a service charge is calculated."""

    SUBTOTAL = "CALCULATION_PHASE_SUBTOTAL"
    TOTAL = "CALCULATION_PHASE_TOTAL"
    APPORTIONED_PERCENTAGE = "CALCULATION_PHASE_APPORTIONED_PERCENTAGE"
    APPORTIONED_AMOUNT = "CALCULATION_PHASE_APPORTIONED_AMOUNT"


class FulfillmentType(enum.Enum):
    """The way the goods take."""

    PICKUP = "TYPE_PICKUP"
    SHIPMENT = "TYPE_SHIPMENT"
    DELIVERY = "TYPE_DELIVERY"


class AdditionalRecipient(Struct, frozen=True):
    """A share of the payment for somebody else."""

    location_id: str = ""
    description: str = ""
    amount: Money | None = None


class ServiceCharge(Struct, frozen=True):
    """A charge for service."""

    name: str = ""
    catalog_object_id: str = ""
    percentage: str = ""
    amount: Money | None = None
    calculation_phase: CalculationPhase | None = None
    taxable: bool | None = None


class Fulfillment(Struct, frozen=True):
    """How the goods reach the customer; times and spans stay the texts of protobuf's JSON."""

    type: FulfillmentType | None = None
    as_soon_as_possible: bool = False
    time: str = ""
    window: str = ""
    preparation_time: str = ""
    note: str = ""
    carrier: str = ""
    shipping_type: str = ""


class SquareOptions(Struct, frozen=True):
    """Options of a payment link or checkout."""

    ask_for_shipping_address: bool | None = None
    support_email: str = ""
    note: str = ""
    additional_recipients: tuple[AdditionalRecipient, ...] = ()
    app_fee: Money | None = None
    description: str = ""
    custom_fields: tuple[str, ...] = ()
    subscription_plan_id: str = ""
    loyalty: bool | None = None
    shipping_fee_name: str = ""
    service_charges: tuple[ServiceCharge, ...] = ()
    fulfillment: Fulfillment | None = None
    auto_apply_discounts: bool | None = None
    auto_apply_taxes: bool | None = None


_NONE = SquareOptions()


def session_options(request: CreateRequest) -> SquareOptions:
    """Decode the session's options; all absent where the request has none."""
    options = (request.provider_options or {}).get("square")
    if not options:
        return _NONE
    # JSON of protobuf writes 64-bit numbers as text, hence not strict.
    return msgspec.convert(options, SquareOptions, strict=False)
