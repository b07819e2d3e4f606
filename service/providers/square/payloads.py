"""What is read of Square's JSON objects.

Only what the service acts on is typed: an amount or an id of a wrong type is an error, while buyers'
details are taken where they can be, because no payment may be lost to a malformed address.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from service.core import model

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Amount = Annotated[int, Meta(ge=0, le=2**53 - 1)]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Time = Annotated[datetime, Meta(tz=True)]


class Money(Struct, frozen=True):
    """An amount; one without a number is no zero, so both fields are needed."""

    amount: Amount
    currency: CurrencyCode

    @property
    def value(self) -> model.Money:
        """The amount in the model's words."""
        return model.Money(self.amount, self.currency)


class AppliedTax(Struct, frozen=True):
    """What a tax came to on a line."""

    tax_uid: str = ""
    applied_money: Money | None = None


class AppliedDiscount(Struct, frozen=True):
    """What a discount came to on a line."""

    discount_uid: str = ""
    applied_money: Money | None = None


class Adjustment(Struct, frozen=True):
    """What a tax or discount came to on the whole order."""

    uid: str = ""
    applied_money: Money | None = None


class Modifier(Struct, frozen=True):
    """A modifier of a line, for all units."""

    total_price_money: Money | None = None


class OrderLine(Struct, frozen=True, kw_only=True):
    """A line of an order; an amount that is not there is nothing."""

    quantity: str
    base_price_money: Money | None = None
    gross_sales_money: Money | None = None
    total_tax_money: Money | None = None
    total_discount_money: Money | None = None
    total_money: Money | None = None
    modifiers: list[Modifier] | None = None
    applied_taxes: list[AppliedTax] | None = None
    applied_discounts: list[AppliedDiscount] | None = None


class Tender(Struct, frozen=True):
    """A payment of an order."""

    id: str | None = None
    payment_id: str | None = None


class Order(Struct, frozen=True, kw_only=True):
    """An order; in a checkout's answer it may have neither id nor state."""

    id: str | None = None
    state: str | None = None
    line_items: list[OrderLine] | None = None
    taxes: list[Adjustment] | None = None
    discounts: list[Adjustment] | None = None
    service_charges: list[object] | None = None
    tenders: list[Tender] | None = None
    total_money: Money | None = None
    total_tax_money: Money | None = None
    total_discount_money: Money | None = None
    total_tip_money: Money | None = None
    total_service_charge_money: Money | None = None
    metadata: object = None


class Link(Struct, frozen=True, kw_only=True):
    """A payment link."""

    id: str | None = None
    order_id: str | None = None
    url: str | None = None
    long_url: str | None = None
    version: int | None = None
    created_at: Time | None = None
    description: str | None = None
    payment_note: str | None = None
    checkout_options: object = None


class RelatedResources(Struct, frozen=True):
    """What comes beside a payment link."""

    orders: list[Order] | None = None


class LinkAnswer(Struct, frozen=True, kw_only=True):
    """The answer to making or reading a payment link."""

    payment_link: Link | None = None
    related_resources: RelatedResources | None = None


class Checkout(Struct, frozen=True, kw_only=True):
    """A checkout."""

    id: str | None = None
    checkout_page_url: str | None = None
    version: int | None = None
    created_at: Time | None = None
    order: Order | None = None
    ask_for_shipping_address: object = None
    merchant_support_email: object = None
    redirect_url: object = None
    additional_recipients: object = None
    note: object = None


class CheckoutAnswer(Struct, frozen=True):
    """The answer to making a checkout."""

    checkout: Checkout | None = None


class DeletedLink(Struct, frozen=True):
    """The answer to deleting a payment link."""

    cancelled_order_id: str | None = None


class OrderAnswer(Struct, frozen=True):
    """The answer to reading an order."""

    order: Order


class OrdersAnswer(Struct, frozen=True):
    """The answer to reading several orders; those that are not there are left out."""

    orders: list[Order] | None = None


class Payment(Struct, frozen=True, kw_only=True):
    """A payment."""

    id: Id
    status: str
    order_id: str | None = None
    location_id: str | None = None
    created_at: Time | None = None
    amount_money: Money | None = None
    tip_money: Money | None = None
    total_money: Money | None = None
    refund_ids: list[Id] | None = None
    customer_id: object = None
    buyer_email_address: object = None
    billing_address: object = None
    shipping_address: object = None
    card_details: object = None


class PaymentAnswer(Struct, frozen=True):
    """The answer to reading a payment, and the object of its events."""

    payment: Payment


class Refund(Struct, frozen=True, kw_only=True):
    """A refund of a payment."""

    id: Id
    status: str
    amount_money: Money
    payment_id: str | None = None
    order_id: str | None = None
    location_id: str | None = None


class RefundAnswer(Struct, frozen=True):
    """The answer to reading a refund, and the object of its events."""

    refund: Refund


class DisputedPayment(Struct, frozen=True):
    """Which payment a dispute is about."""

    payment_id: Id


class Dispute(Struct, frozen=True, kw_only=True):
    """A dispute of a payment; older events call its id `dispute_id`."""

    state: str
    disputed_payment: DisputedPayment
    id: str | None = None
    dispute_id: str | None = None
    location_id: str | None = None


class DisputeObject(Struct, frozen=True):
    """The object of a dispute's events."""

    dispute: Dispute


class Address(Struct, frozen=True, kw_only=True):
    """An address the buyer gave."""

    country: str | None = None
    address_line_1: str | None = None
    address_line_2: str | None = None
    locality: str | None = None
    administrative_district_level_1: str | None = None
    postal_code: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class CardError(Struct, frozen=True):
    """Why a card was declined."""

    code: str = ""
    detail: str | None = None


class CardDetails(Struct, frozen=True):
    """What is known of a card payment."""

    errors: list[CardError] | None = None
