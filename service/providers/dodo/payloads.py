"""What is read of Dodo's JSON objects.

Only what the service acts on is typed: a number or an id of a wrong type is an error, while buyers'
details are taken where they can be, because no payment may be lost to a malformed address.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Amount = Annotated[int, Meta(ge=0, le=2**53 - 1)]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Time = Annotated[datetime, Meta(tz=True)]


class CreatedSession(Struct, frozen=True):
    """The answer of `POST /checkouts`."""

    session_id: str | None = None
    checkout_url: str | None = None
    payment_id: str | None = None
    client_secret: str | None = None
    publishable_key: str | None = None


class SessionStatus(Struct, frozen=True):
    """The answer of `GET /checkouts/{id}`."""

    id: Id
    payment_id: str | None = None
    payment_status: object = None
    customer_email: object = None
    customer_name: object = None


class Refund(Struct, frozen=True):
    """A refund, inside a payment or of its own."""

    refund_id: Id
    payment_id: Id
    status: str
    amount: Amount | None = None
    currency: CurrencyCode | None = None
    metadata: object = None


class Dispute(Struct, frozen=True):
    """A dispute, inside a payment or of its own."""

    dispute_id: Id
    payment_id: Id
    dispute_status: str


class Buyer(Struct, frozen=True):
    """Who paid."""

    customer_id: str | None = None
    email: str | None = None
    name: str | None = None
    phone_number: str | None = None


class Billing(Struct, frozen=True):
    """Where the bill went."""

    country: str | None = None
    city: str | None = None
    state: str | None = None
    street: str | None = None
    zipcode: str | None = None


class FieldResponse(Struct, frozen=True):
    """An answer to a custom field."""

    key: str
    value: str


class Payment(Struct, frozen=True, kw_only=True):
    """A payment, read or in a webhook."""

    payment_id: Id
    total_amount: Amount
    currency: CurrencyCode
    created_at: Time
    status: str | None = None
    checkout_session_id: str | None = None
    subscription_id: str | None = None
    is_update_payment_method: bool | None = None
    tax: Amount | None = None
    error_code: str | None = None
    error_message: str | None = None
    refunds: list[Refund] | None = None
    disputes: list[Dispute] | None = None
    metadata: object = None
    customer: object = None
    billing: object = None
    custom_field_responses: object = None


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription in a webhook."""

    subscription_id: Id
    status: str
    created_at: datetime | None = None
    trial_period_days: int | None = None
    on_demand: bool | None = None
    metadata: object = None
    customer: object = None
    billing: object = None
    custom_field_responses: object = None
    tax_id: object = None
