"""Clover's checkouts with their life, behind the HTTP API, the page and the sandbox service.

Where Clover publishes nothing, this is what the sandbox does:

- a declined attempt leaves the page as it was, and has a payment id of its own;
- a buyer who gives up leaves no trace;
- a webhook is tried once, as no retries are documented;
- each tax is rounded half up for each line, and a tip is a share of the total with tax.
"""

import base64
import hashlib
from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

import msgspec
from aiohttp import web

from service.sandbox import form
from service.sandbox.clover import buyer as buyers
from service.sandbox.clover.api import routes
from service.sandbox.clover.events import EventSender
from service.sandbox.clover.pricing import price
from service.sandbox.clover.records import APPROVED, DECLINED, Payment, Session, Store
from service.sandbox.clover.request import CheckoutRequest, CustomerRule
from service.sandbox.clover.times import TimeFormat
from service.sandbox.clover.view import checkout_view, snapshot
from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings
from service.sandbox.emulator import (
    CheckoutView,
    EmulatedSession,
    Entry,
    SessionEnded,
    SessionState,
)
from service.sandbox.requests import RequestLog


class CloverEmulator:
    """The emulated provider "clover".

    `time_format` and `customer_rule` may be changed at any time: Clover's documents and what was seen
    of it do not agree on either.
    """

    provider = "clover"

    def __init__(self, around: Surroundings) -> None:
        self.requests = RequestLog()
        self.time_format = TimeFormat.MILLISECONDS
        self.customer_rule = CustomerRule.ALL_FOUR
        self.public_url = around.url_of(self.provider)
        self._events = EventSender(around)
        self._store = Store(retention=around.retention)
        self._clock = around.clock
        self._new_id = around.new_id
        self.app: web.Application = routes(self, api_token=around.api_token)

    def create(self, request: CheckoutRequest) -> Session:
        """Price a cart and open a checkout for it."""
        session = Session(
            session_id=str(uuid5(NAMESPACE_URL, self._new_id())),
            request=request,
            cart=price(request.shopping_cart),
            created_at=self._clock(),
        )
        self._store.add(session)
        return session

    def find(self, name: str) -> Session | None:
        """Find a checkout by its id, or by the checkout service's where a return address has it."""
        return self._store.session(name)

    def checkout_url(self, session: Session) -> str:
        """Return the address that the API tells."""
        return f"{self.public_url}/checkout/{session.session_id}"

    def sessions(self) -> Iterator[EmulatedSession]:
        """Yield the kept checkouts, newest first."""
        return (self._snapshot(session) for session in self._store.sessions())

    def session(self, session_id: str) -> EmulatedSession:
        """Return one checkout."""
        return self._snapshot(self._store.known(session_id))

    def checkout(self, session_id: str, entry: Entry | None = None) -> CheckoutView:
        """Return what the page shows, with the totals that an entry leads to."""
        session = self._store.known(session_id)
        fields = buyers.fields(session)
        values = form.values(fields, session.typed if entry is None else entry)
        is_tip_known = values.get(buyers.TIP, "0") in buyers.TIPS
        return checkout_view(
            session,
            snapshot=self._snapshot(session),
            tip=buyers.tip(session, values) if is_tip_known else 0,
            fields=tuple(
                msgspec.structs.replace(field, value=values[field.name]) for field in fields
            ),
            problems={} if is_tip_known else {buyers.TIP: "choice_invalid"},
        )

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Pay the checkout and return the webhook that was started."""
        session = self._open(session_id)
        fields = buyers.fields(session)
        values = form.samples(fields) if entry is None else form.check(fields, entry)
        return self._attempt(session, APPROVED, buyers.tip(session, values))

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined attempt and return the webhook that was started."""
        session = self._open(session_id)
        session.typed = dict(entry or {})
        fields = buyers.fields(session)
        values = form.samples(fields) if entry is None else form.forgive(fields, entry)
        return self._attempt(session, DECLINED, buyers.tip(session, values))

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Let the buyer give up, which Clover tells nobody."""
        self._open(session_id)
        return ()

    def _open(self, session_id: str) -> Session:
        session = self._store.known(session_id)
        if (state := self._state(session)) is not SessionState.OPEN:
            raise SessionEnded(state)
        return session

    def _state(self, session: Session) -> SessionState:
        if session.paid:
            return SessionState.PAID
        is_over = self._clock() >= session.expires_at
        return SessionState.EXPIRED if is_over else SessionState.OPEN

    def _snapshot(self, session: Session) -> EmulatedSession:
        return snapshot(
            session,
            provider=self.provider,
            state=self._state(session),
            checkout_url=self.checkout_url(session),
        )

    def _attempt(self, session: Session, status: str, tip: int) -> tuple[Delivery, ...]:
        payment = Payment(
            payment_id=_payment_id(self._new_id()),
            session=session,
            status=status,
            amount=session.cart.total + tip,
            created_at=self._clock(),
        )
        session.payments.append(payment)
        self._store.add_payment(payment)
        deliveries = self._events.report(payment)
        session.deliveries.extend(deliveries)
        return deliveries


def _payment_id(word: str) -> str:
    """Return thirteen capitals and digits, as Clover's ids of payments have."""
    return base64.b32encode(hashlib.blake2s(word.encode()).digest()).decode()[:13]
