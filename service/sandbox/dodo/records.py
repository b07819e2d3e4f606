"""What the emulator remembers: sessions, payments, subscriptions and the buyer of each payment."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from service.sandbox.delivery import Delivery
from service.sandbox.dodo.pricing import PricedCart, PricedLine
from service.sandbox.dodo.request import CheckoutRequest
from service.sandbox.sessions import SessionStore

REFERENCE_KEY = "checkout_session_id"
PAID = "succeeded"
WAITING = "requires_payment_method"


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, as entered on the page or given in the request."""

    email: str
    name: str
    country: str
    phone_number: str | None = None
    city: str | None = None
    state: str | None = None
    street: str | None = None
    zipcode: str | None = None
    tax_id: str | None = None
    payment_method: str = "credit"
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class Payment:
    """One attempt to pay a session."""

    payment_id: str
    session: "Session"
    created_at: datetime
    updated_at: datetime
    cart: PricedCart
    buyer: Buyer
    customer_id: str
    status: str = WAITING
    error_code: str | None = None
    error_message: str | None = None
    subscriptions: "tuple[Subscription, ...]" = ()


@dataclass(slots=True, kw_only=True)
class Subscription:
    """What a paid recurring line started."""

    subscription_id: str
    payment: Payment
    line: PricedLine
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Session:
    """One checkout session."""

    session_id: str
    slug: str
    request: CheckoutRequest
    cart: PricedCart
    created_at: datetime
    expires_at: datetime
    payments: list[Payment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Return the id that the checkout service put into the metadata."""
        return str((self.request.metadata or {}).get(REFERENCE_KEY, ""))

    @property
    def last_payment(self) -> Payment | None:
        """Return the newest attempt, which is the one the session shows."""
        return self.payments[-1] if self.payments else None

    @property
    def is_paid(self) -> bool:
        """Tell whether an attempt succeeded."""
        return any(payment.status == PAID for payment in self.payments)


class Store(SessionStore[Session, Payment]):
    """Sessions, and the customer of each e-mail address."""

    def __init__(self, *, retention: int) -> None:
        super().__init__(retention=retention)
        self._customers: OrderedDict[str, str] = OrderedDict()

    def add_payment(self, payment: Payment) -> None:
        """Remember an attempt to pay."""
        payment.session.payments.append(payment)
        super().add_payment(payment)

    def customer_of(self, email: str, new_id: str) -> str:
        """Return the customer that an e-mail address belongs to, `new_id` where it is a new one."""
        customer_id = self._customers.setdefault(email.casefold(), new_id)
        while len(self._customers) > self._retention:
            self._customers.popitem(last=False)
        return customer_id
