"""What is read of FastSpring's JSON objects.

Only what the service acts on is typed; what could cost a session or a payment when it has an odd form is
taken as it comes and read leniently.
"""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

Id = Annotated[str, Meta(min_length=1, max_length=256)]


class CheckoutUrls(Struct, frozen=True, rename="camel"):
    """Where the page is; a checkout that is part of a shop's page has none."""

    webcheckout_url: str | None = None


class Session(Struct, frozen=True, rename="camel"):
    """The answer to a create or a read."""

    id: Annotated[str, Meta(max_length=64)] | None = None
    status: str | None = None
    live: bool | None = None
    currency: str | None = None
    country: str | None = None
    locale: str | None = None
    checkout_urls: CheckoutUrls | None = None
    created: object = None
    expires: object = None
    checkout_status: object = None
    customer: object = None
    order_tags: object = None
    cart: object = None
    warnings: object = None


class Warned(Struct, frozen=True):
    """One entry of `warnings`."""

    code: str | None = None
    field: str | None = None
    message: str | None = None


class Price(Struct, frozen=True, rename="camel"):
    """Amounts of a line."""

    unit_list_price: Decimal | None = None
    unit_net_price: Decimal | None = None
    extended_list_total: Decimal | None = None
    extended_total_discount: Decimal | None = None
    extended_net_total: Decimal | None = None
    extended_tax_total: Decimal | None = None
    tax_percent: Decimal | None = None
    tax_included: object = None
    tax_exempt: object = None


class Line(Struct, frozen=True, rename="camel"):
    """One line of a cart."""

    product_path: str = ""
    product_type: str | None = None
    product_format: str | None = None
    removable: bool | None = None
    price: Price | None = None


class Cart(Struct, frozen=True, rename="camel"):
    """What a session comes to."""

    coupon_code: str | None = None
    coupon_has_applied: bool | None = None
    line_items: list[Line] | None = None
    net_total: Decimal | None = None
    list_total: Decimal | None = None
    with_tax_net_total: Decimal | None = None
    with_tax_list_total: Decimal | None = None
    without_tax_net_total: Decimal | None = None
    without_tax_list_total: Decimal | None = None
    discount_total: Decimal | None = None
    coupon_discount_total: Decimal | None = None
    product_discount_total: Decimal | None = None
    tax_total: Decimal | None = None
    tax_rate: Decimal | None = None
    tax_included: str | None = None


class WholeSession(Session, frozen=True, rename="camel"):
    """A session of which no part has an odd form, and so can be read in one go."""

    cart: Cart | None = None


class SavedPaymentMethod(Struct, frozen=True, rename="camel"):
    """A way to pay that the customer has saved."""

    payment_method_type: str | None = None
    display: str | None = None


class SessionCustomer(Struct, frozen=True, rename="camel"):
    """The one part of a session's customer that the request did not say."""

    saved_payment_method: SavedPaymentMethod | None = None


class Order(Struct, frozen=True, rename="camel"):
    """An order, read or in an event; `completed` is a flag, and `changed` a time in milliseconds."""

    id: Id | None = None
    order: Id | None = None
    completed: object = None
    changed: object = None
    currency: str | None = None
    total: object = None
    tax: object = None
    discount: object = None
    account: object = None
    customer: object = None
    address: object = None
    items: object = None
    tags: object = None
    reason: object = None


class Contact(Struct, frozen=True):
    """Who paid."""

    first: str | None = None
    last: str | None = None
    email: str | None = None
    phone: str | None = None


class OrderAddress(Struct, frozen=True, rename="camel"):
    """Where the bill of an order went."""

    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    region: str | None = None
    region_code: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Item(Struct, frozen=True):
    """One line of an order; `subscription` is an id, or the object where expansion is on."""

    subscription: object = None


class Original(Struct, frozen=True):
    """The order that a return is of."""

    id: Id | None = None
    order: Id | None = None
    tags: object = None


class Return(Struct, frozen=True, kw_only=True):
    """A refund in an event."""

    return_id: Id = field(name="return")
    original: Original
    completed: bool | None = None
    currency: str | None = None
    total_return: object = field(name="totalReturn", default=None)


class Chargeback(Struct, frozen=True, kw_only=True, rename="camel"):
    """A dispute in an event; its own id is the order's."""

    id: Id | None = None
    order: object = None
    processor_case_id: str | None = None
    status: str | None = None


class Fulfillment(Struct, frozen=True):
    """Something that was paid and could not be delivered."""

    order: object


class Subscription(Struct, frozen=True, rename="camel"):
    """A subscription in an event."""

    id: Id | None = None
    subscription: object = None
    state: str | None = None
    changed: object = None
    initial_order_id: str | None = None
    account: object = None
    tags: object = None
