"""What is read of SellApp's JSON objects.

Only what the service acts on is typed: an amount that is no text of an integer is an error, while what
SellApp noticed about buyers is taken where it can be, because no payment may be lost to it.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from service.core.model import Money

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
# Minor units, written as text. Python's "$" would let a line break follow.
MinorUnits = Annotated[str, Meta(pattern=r"^[0-9]{1,15}\Z")]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Time = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Total(Struct, frozen=True):
    """An amount without and with VAT."""

    exclusive: MinorUnits
    inclusive: MinorUnits


class Amount(Struct, frozen=True):
    """An amount as SellApp breaks it down."""

    base: MinorUnits
    currency: CurrencyCode
    total: Total
    units: Count = 1
    vat: object = None

    @property
    def inclusive(self) -> Money:
        """Return what is to be paid."""
        return Money(int(self.total.inclusive), self.currency)

    @property
    def exclusive(self) -> Money:
        """Return the amount without VAT."""
        return Money(int(self.total.exclusive), self.currency)


class GatewayData(Struct, frozen=True):
    """What the payment processor said; every processor says something else."""

    total: object = None
    customer_email: object = None
    transaction_id: object = None
    checkout_url: object = None


class Gateway(Struct, frozen=True):
    """The payment processor; PHP writes a list where it knows nothing."""

    type: str | None = None
    data: object = None


class Payment(Struct, frozen=True):
    """The part of an invoice that is about money."""

    full_price: Amount
    expires_at: Time
    gateway: Gateway | None = None
    fee: object = None
    subtotal: object = None
    original_amount: object = None


class StatusEntry(Struct, frozen=True):
    """A status, and when the invoice took it."""

    status: str
    set_at: Time | None = field(name="setAt", default=None)
    updated_at: Time | None = field(name="updatedAt", default=None)


class StatusBlock(Struct, frozen=True):
    """The current status and those before it."""

    status: StatusEntry
    history: list[StatusEntry] | None = None


class Variant(Struct, frozen=True):
    """What an invoice sells; the documents show no quantity."""

    id: Id
    quantity: Count | None = None


class Delivery(Struct, frozen=True):
    """A delivery of SellApp's own webhooks."""

    url: str
    attempts: Count | None = None
    response: object = None
    queried_at: Time | None = None


class Vat(Struct, frozen=True):
    """SellApp's figure for VAT, and whose it is."""

    amount: object = None
    country: object = None


class Visitor(Struct, frozen=True):
    """What SellApp noticed about the buyer."""

    id: object = None
    email: object = None
    country: object = None
    location: object = None
    ip: object = None
    proxied: object = None
    browser_agent: object = None
    vat: object = None
    vat_id: object = None


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice, however wrapped."""

    id: Id
    payment: Payment
    status: StatusBlock
    created_at: Time | None = None
    updated_at: Time | None = None
    store_id: Id | None = None
    coupon_id: Id | None = None
    subscription_id: Id | None = None
    checkout: object = None
    feedback: object = None
    webhooks: object = None
    customer_information: object = None
    product_variants: object = None

    @property
    def session_id(self) -> str:
        """Return the id as this service writes it."""
        return str(self.id)

    @property
    def due(self) -> Money:
        """Return what the customer pays."""
        return self.payment.full_price.inclusive

    @property
    def statuses(self) -> list[StatusEntry]:
        """Return every status it had, the current one last."""
        return [*(self.status.history or ()), self.status.status]


class WholePayment(Payment, frozen=True):
    """The part about money, of which no amount has an odd form."""

    fee: Amount | None = None
    subtotal: Amount | None = None
    original_amount: Amount | None = None


class WholeInvoice(Invoice, frozen=True, kw_only=True):
    """An invoice that can be read in one go."""

    payment: WholePayment


class WrappedInvoice(Struct, frozen=True):
    """The answer of creating and reading."""

    data: Invoice


class WrappedWholeInvoice(WrappedInvoice, frozen=True):
    """The same of an invoice that can be read in one go."""

    data: WholeInvoice


class InvoicePage(Struct, frozen=True):
    """The answer of listing."""

    data: list[Invoice]


class Checkout(Struct, frozen=True):
    """The answer of asking for the checkout: wrapped in nothing."""

    invoice: Invoice
    message: str = ""
    payment_url: str | None = None


class WholeCheckout(Checkout, frozen=True, kw_only=True):
    """The same of an invoice that can be read in one go."""

    invoice: WholeInvoice
