"""What the emulator remembers: checkouts and the attempts to pay them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.sandbox.clover.pricing import PricedCart
from service.sandbox.clover.request import CheckoutRequest
from service.sandbox.delivery import Delivery
from service.sandbox.sessions import SessionStore

LIFETIME = timedelta(minutes=15)
APPROVED, DECLINED = "APPROVED", "DECLINED"
# Clover has no field for an id of the caller's: only a return address can hold one.
REFERENCE = re.compile(r"\bcs_[0-9a-zA-Z]{26}\b")


@dataclass(slots=True, kw_only=True)
class Payment:
    """One attempt to pay a checkout; `amount` has the tip in it."""

    payment_id: str
    session: "Session"
    status: str
    amount: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Session:
    """One checkout."""

    session_id: str
    request: CheckoutRequest
    cart: PricedCart
    created_at: datetime
    slug: str = ""
    payments: list[Payment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Return the checkout service's id, where a return address has it."""
        urls = self.request.redirect_urls
        given = f"{urls.success} {urls.failure} {urls.cancel}"
        found = REFERENCE.search(given)
        return found[0] if found else ""

    @property
    def expires_at(self) -> datetime:
        """Return when the page stops taking payments."""
        return self.created_at + LIFETIME

    @property
    def paid(self) -> Payment | None:
        """Return the attempt that succeeded."""
        return next((payment for payment in self.payments if payment.status == APPROVED), None)


class Store(SessionStore[Session, Payment]):
    """The newest checkouts."""
