"""What every emulated provider offers to the hosted page and to the sandbox service."""

import enum
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec
from aiohttp import web

from service.sandbox.delivery import Delivery
from service.sandbox.requests import RequestLog

FieldKind = Literal[
    "text", "email", "tel", "url", "number", "amount", "date", "select", "country", "checkbox"
]
FieldGroup = Literal["order", "contact", "address", "shipping", "more", "custom", "payment"]
Entry = Mapping[str, str]


class SessionState(enum.Enum):
    """Where a session stands at the emulated provider."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


class EmulatedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to pay, in the provider's own words."""

    payment_id: str
    status: str
    amount: int
    currency: str
    create_time: datetime


class EmulatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as the emulated provider sees it at this moment; one without an end never expires."""

    provider: str
    provider_session_id: str
    session_id: str
    state: SessionState
    checkout_url: str
    amount: int
    currency: str
    payments: tuple[EmulatedPayment, ...]
    create_time: datetime
    expire_time: datetime | None
    deliveries: tuple[Delivery, ...]


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the cart as the buyer reads it."""

    name: str
    description: str
    quantity: int
    amount: int
    interval: str = ""
    is_addon: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the form; an empty label is looked up by the field's name."""

    name: str
    kind: FieldKind = "text"
    group: FieldGroup = "contact"
    label: str = ""
    value: str = ""
    placeholder: str = ""
    autocomplete: str = "off"
    options: tuple[tuple[str, str], ...] = ()
    is_required: bool = False
    is_readonly: bool = False


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer has to pay now, in minor units."""

    currency: str
    subtotal: int
    discount: int
    tax: int
    total: int
    fees: int = 0
    tip: int = 0
    is_tax_included: bool = False


class CheckoutView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the hosted page shows for one session; no language means the browser's.

    `has_choices` says that fields of the order change its total.
    """

    title: str
    session: EmulatedSession
    lines: tuple[CartLine, ...]
    totals: Totals
    fields: tuple[Field, ...]
    theme: Literal["dark", "light", "system"] = "system"
    language: str = ""
    pay_label: str = ""
    is_order_open: bool = True
    takes_codes: bool = False
    has_choices: bool = False
    code: str = ""
    cancel_url: str = ""
    leave_url: str = ""
    is_leaving_at_once: bool = False
    has_declined: bool = False
    problems: Mapping[str, str] = msgspec.field(default_factory=dict)


class SessionUnknown(LookupError):
    """No emulated provider knows the session."""


class SessionEnded(Exception):
    """The session is paid or expired, so nothing more can be done with it."""

    def __init__(self, state: SessionState) -> None:
        super().__init__(state.value)
        self.state = state


class EntryInvalid(Exception):
    """What the buyer typed cannot be taken: a message key of the page for each field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = dict(problems)


class Emulator(Protocol):
    """One emulated provider: an HTTP API with state, and a buyer's actions on its sessions.

    Session ids are the provider's own or the one of ours that the session carries. Every method
    that takes one raises `SessionUnknown`; the actions also raise `SessionEnded`, and
    `EntryInvalid` where an entry is given that cannot be taken. Without an entry the buyer
    takes what the session prefills and fills the rest with samples.
    """

    provider: str
    app: web.Application
    requests: RequestLog

    def sessions(self) -> Iterator[EmulatedSession]:
        """Yield the kept sessions, newest first."""

    def session(self, session_id: str) -> EmulatedSession:
        """Return one session."""

    def checkout(self, session_id: str, entry: Entry | None = None) -> CheckoutView:
        """Return what the page shows, with the totals that an entry leads to."""

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Pay the session and return the webhooks that were started."""

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined attempt and return the webhooks that were started."""

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Record that the buyer gave up and return the webhooks that were started."""
