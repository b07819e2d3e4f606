"""What the emulator remembers: checkouts and links with their orders, and payments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from service.sandbox.delivery import Delivery
from service.sandbox.sessions import SessionStore
from service.sandbox.square.pricing import PricedOrder
from service.sandbox.square.schema import JsonObject

REFERENCE_KEY = "checkout_session_id"
CHECKOUT_LIFETIME = timedelta(days=180)
DRAFT, OPEN, COMPLETED, CANCELED = "DRAFT", "OPEN", "COMPLETED", "CANCELED"
APPROVED, FAILED = "APPROVED", "FAILED"


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, as entered on the page or given in the request."""

    email: str
    phone: str = ""
    address: JsonObject = msgspec.field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Order:
    """One order; `draft` is its request with every default filled in."""

    order_id: str
    draft: JsonObject
    priced: PricedOrder
    currency: str
    created_at: datetime
    updated_at: datetime
    state: str = DRAFT
    version: int = 1
    tip: int = 0
    payment: "Payment | None" = None

    @property
    def location_id(self) -> str:
        """Return the location that the order belongs to."""
        return str(self.draft["location_id"])

    @property
    def total(self) -> int:
        """Return what the buyer pays, any tip included."""
        return self.priced.total + self.tip

    def move(self, state: str, *, at: datetime) -> None:
        """Commit an update."""
        self.state, self.updated_at = state, at
        self.version += 1


@dataclass(slots=True, kw_only=True)
class Payment:
    """One attempt to pay a session."""

    payment_id: str
    session: "Session"
    status: str
    amount: int
    tip: int
    buyer: Buyer
    created_at: datetime
    updated_at: datetime

    @property
    def total(self) -> int:
        """Return the amount with the tip."""
        return self.amount + self.tip


@dataclass(slots=True, kw_only=True)
class Session:
    """A payment link or, where `is_link` is false, a legacy checkout."""

    session_id: str
    slug: str
    is_link: bool
    body: JsonObject
    order: Order
    created_at: datetime
    updated_at: datetime | None = None
    version: int = 1
    is_deleted: bool = False
    payments: list[Payment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> JsonObject:
        """Return what the request says of the page."""
        chosen: JsonObject = self.body.get("checkout_options", {}) if self.is_link else self.body
        return chosen

    @property
    def reference(self) -> str:
        """Return the id that the checkout service put into the order."""
        order = self.order.draft
        return str(order.get("metadata", {}).get(REFERENCE_KEY) or order.get("reference_id", ""))

    @property
    def note(self) -> str:
        """Return the note that payments carry."""
        return str(self.body.get("payment_note" if self.is_link else "note", ""))

    @property
    def prefilled(self) -> Buyer:
        """Return the buyer that the request describes."""
        data: dict[str, Any] = self.body.get("pre_populated_data", {})
        if self.is_link:
            return Buyer(
                email=data.get("buyer_email", ""),
                phone=data.get("buyer_phone_number", ""),
                address=data.get("buyer_address", {}),
            )
        return Buyer(
            email=self.body.get("pre_populate_buyer_email", ""),
            address=self.body.get("pre_populate_shipping_address", {}),
        )

    @property
    def ends_at(self) -> datetime | None:
        """Return when the page stops working; links never do."""
        return None if self.is_link else self.created_at + CHECKOUT_LIFETIME

    @property
    def is_paid(self) -> bool:
        """Tell whether an attempt succeeded, be it only authorised."""
        return self.order.payment is not None


class Store(SessionStore[Session, Payment]):
    """Sessions with their orders."""

    def __init__(self, *, retention: int) -> None:
        super().__init__(retention=retention)
        self._orders: dict[str, Order] = {}

    def add(self, session: Session) -> None:
        """Remember a session; a link's order can be read at once."""
        super().add(session)
        if session.is_link:
            self.add_order(session.order)

    def add_order(self, order: Order) -> None:
        """Let an order be read."""
        self._orders[order.order_id] = order

    def add_payment(self, payment: Payment) -> None:
        """Remember an attempt to pay."""
        payment.session.payments.append(payment)
        super().add_payment(payment)

    def order(self, order_id: str) -> Order | None:
        """Find an order by its id."""
        return self._orders.get(order_id)

    def forget(self, session: Session) -> None:
        """Drop what belongs to a session that is dropped."""
        super().forget(session)
        self._orders.pop(session.order.order_id, None)
