"""What the emulator remembers: invoices, each with its statuses and the attempts to pay it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from service.sandbox.delivery import Delivery
from service.sandbox.sellapp.catalogue import Coupon, Store
from service.sandbox.sellapp.enums import PENDING, SETTLED
from service.sandbox.sellapp.pricing import Line, Priced
from service.sandbox.sessions import SessionStore

# As in the sample of the documents.
LIFETIME = timedelta(hours=9)


class Status(msgspec.Struct, frozen=True):
    """A status, and since when."""

    status: str
    set_at: datetime


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Who the invoice is for."""

    email: str
    ip: str = ""
    vat_id: str = ""
    country: str = ""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt to pay at the processor."""

    payment_id: str
    status: str
    amount: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Invoice:
    """One invoice; it has a processor's page once its checkout was asked for."""

    invoice_id: int
    store: Store
    customer: Customer
    payment_method: str
    lines: tuple[Line, ...]
    priced: Priced
    coupon: Coupon | None
    affiliate: str
    is_trial: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    statuses: list[Status] = field(default_factory=list)
    transaction_id: str = ""
    subscription_id: int | None = None
    payments: list[Attempt] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    typed: Mapping[str, str] = field(default_factory=dict)

    slug: str = ""
    reference: str = ""

    @property
    def session_id(self) -> str:
        """Return the id as text, which is what pages are found by."""
        return str(self.invoice_id)

    @property
    def status(self) -> str:
        """Return the current status."""
        return self.statuses[-1].status

    @property
    def is_pending(self) -> bool:
        """Tell whether nothing has happened yet."""
        return self.status == PENDING

    @property
    def is_settled(self) -> bool:
        """Tell whether it was ever paid."""
        return any(entry.status in SETTLED for entry in self.statuses)

    @property
    def received(self) -> int:
        """Return how much has come in."""
        return sum(attempt.amount for attempt in self.payments if attempt.status == "PAID")

    def move(self, status: str, *, at: datetime) -> None:
        """Take on a status."""
        self.statuses.append(Status(status, at))
        self.updated_at = at


class Invoices(SessionStore[Invoice, Attempt]):
    """The kept invoices."""

    def pay(self, invoice: Invoice, attempt: Attempt) -> None:
        """Remember an attempt to pay."""
        invoice.payments.append(attempt)
        self.add_payment(attempt)
