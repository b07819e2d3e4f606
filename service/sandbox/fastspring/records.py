"""What the emulator remembers: sessions, their orders, and the events it has told or has to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from service.sandbox.delivery import Delivery
from service.sandbox.fastspring.pricing import PricedCart
from service.sandbox.fastspring.schema import JsonObject
from service.sandbox.sessions import SessionStore

REFERENCE_KEY = "checkout_session_id"
LIFETIME = timedelta(hours=24)
COMPLETED, FAILED, PENDING = "completed", "failed", "pending"


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, as entered on the page or given in the request."""

    email: str
    first: str
    last: str
    country: str
    phone: str = ""
    postal_code: str = ""
    city: str = ""
    method: str = "CARD"


@dataclass(slots=True, kw_only=True)
class Order:
    """One attempt to buy what a session holds."""

    payment_id: str
    reference: str
    session: "Session"
    status: str
    cart: PricedCart
    buyer: Buyer
    changed: datetime
    subscriptions: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Session:
    """One checkout session."""

    session_id: str
    body: JsonObject
    checkout_id: str
    country: str
    live: bool
    cart: PricedCart
    warnings: list[JsonObject]
    created_at: datetime
    payments: list[Order] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    typed: Mapping[str, str] = field(default_factory=dict)
    slug: str = ""

    @property
    def tags(self) -> JsonObject:
        """Return what is copied to the order."""
        tags: JsonObject = self.body.get("orderTags", {})
        return tags

    @property
    def reference(self) -> str:
        """Return the id that the checkout service put into the tags."""
        return str(self.tags.get(REFERENCE_KEY, ""))

    @property
    def expires_at(self) -> datetime:
        """Return when the page stops working."""
        return self.created_at + LIFETIME

    @property
    def order(self) -> Order | None:
        """Return the order that the session led to, be it only a pending one."""
        return next((order for order in self.payments if order.status != FAILED), None)


@dataclass(slots=True, kw_only=True)
class Event:
    """One event, which is told until it is acknowledged."""

    event_id: str
    type: str
    live: bool
    data: object
    created: datetime
    is_processed: bool = False


class Store(SessionStore[Session, Order]):
    """Sessions with their orders."""
