"""Dodo's sessions and payments with their life, behind the HTTP API, the page and the sandbox service.

Where Dodo publishes nothing, this is what the sandbox does:

- a session stays payable after a declined or cancelled attempt, and shows its newest payment;
- `GET /checkouts/{id}` keeps answering after expiry, with a null payment status if nobody tried;
- cards settle at once, so `payment.processing` is never sent;
- a trial or a mandate without a charge is a succeeded payment of 0;
- a renewal never happens.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec
from aiohttp import web

from service.sandbox import form
from service.sandbox.delivery import Delivery
from service.sandbox.dodo import buyer as buyers
from service.sandbox.dodo.api import routes
from service.sandbox.dodo.catalogue import Catalogue
from service.sandbox.dodo.errors import Refusal
from service.sandbox.dodo.events import EventSender
from service.sandbox.dodo.pricing import PricedCart, price
from service.sandbox.dodo.records import PAID, WAITING, Buyer, Payment, Session, Store, Subscription
from service.sandbox.dodo.request import CartItem, CheckoutRequest
from service.sandbox.dodo.rules import check
from service.sandbox.dodo.view import checkout_view, snapshot, takes_codes
from service.sandbox.emulation import Surroundings
from service.sandbox.emulator import (
    CheckoutView,
    EmulatedSession,
    Entry,
    EntryInvalid,
    SessionEnded,
    SessionState,
)
from service.sandbox.requests import RequestLog

LIFETIME = timedelta(hours=24)
CONFIRMED_LIFETIME = timedelta(minutes=15)
CODE_FIELD = "discount_code"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer and the cart as that buyer's choices price it."""

    buyer: Buyer
    cart: PricedCart


class DodoEmulator:
    """The emulated provider "dodo"."""

    provider = "dodo"

    def __init__(self, around: Surroundings, *, catalogue: Catalogue) -> None:
        self.requests = RequestLog()
        self.public_url = around.url_of(self.provider)
        self._catalogue = catalogue
        self._events = EventSender(around)
        self._store = Store(retention=around.retention)
        self._clock = around.clock
        self._new_id = around.new_id
        self.app: web.Application = routes(self, api_token=around.api_token)

    def create(self, request: CheckoutRequest) -> Session:
        """Check a body, price it and open a session for it."""
        cart = self.quote(request)
        now = self._clock()
        lifetime = CONFIRMED_LIFETIME if request.confirm else LIFETIME
        session = Session(
            session_id=f"cks_{self._new_id()}",
            slug=self._new_id(),
            request=request,
            cart=cart,
            created_at=now,
            expires_at=now + lifetime,
        )
        self._store.add(session)
        if request.confirm:
            self._start_payment(session, self._offer(session, None))
        if request.payment_method_id:
            self.pay(session.session_id)
        return session

    def quote(self, request: CheckoutRequest) -> PricedCart:
        """Check a body and price it."""
        check(request, self._catalogue)
        return price(self._priced(request, {}), self._catalogue)

    def checkout_url(self, session: Session) -> str | None:
        """Return the address of the page; a session charged at once has none."""
        if session.request.payment_method_id:
            return None
        if session.request.short_link:
            return f"{self.public_url}/buy/{session.slug}"
        return self.page_url(session)

    def page_url(self, session: Session) -> str:
        """Return the full address of the page, whatever link the caller asked for."""
        return f"{self.public_url}/session/{session.session_id}"

    def find(self, name: str) -> Session | None:
        """Find a session by its id, its short link or the id the checkout service gave it."""
        return self._store.session(name)

    def payment(self, payment_id: str) -> Payment | None:
        """Find a payment."""
        return self._store.payment(payment_id)

    def payments(self) -> Iterator[Payment]:
        """Yield all payments, newest first."""
        return reversed([*self._store.payments()])

    def sessions(self) -> Iterator[EmulatedSession]:
        """Yield the kept sessions, newest first."""
        return (self._snapshot(session) for session in self._store.sessions())

    def session(self, session_id: str) -> EmulatedSession:
        """Return one session."""
        return self._snapshot(self._store.known(session_id))

    def checkout(self, session_id: str, entry: Entry | None = None) -> CheckoutView:
        """Return what the page shows, with the totals that an entry leads to."""
        session = self._store.known(session_id)
        entry = session.typed if entry is None else entry
        fields = buyers.fields(session.request, self._catalogue)
        values = form.values(fields, entry)
        cart, problems = session.cart, {}
        try:
            cart = self._cart(session, values, entry)
        except EntryInvalid as error:
            problems = error.problems
        paid = session.last_payment if session.is_paid else None
        return checkout_view(
            session,
            snapshot=self._snapshot(session),
            cart=paid.cart if paid else cart,
            fields=tuple(
                msgspec.structs.replace(field, value=values[field.name]) for field in fields
            ),
            code=entry.get(CODE_FIELD, "").strip(),
            problems=problems,
        )

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Pay the session and return the webhooks that were started."""
        session = self._open(session_id)
        payment = self._start_payment(session, self._offer(session, entry))
        self._settle(payment, PAID)
        payment.subscriptions = tuple(self._subscriptions(payment))
        return self._report(payment)

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined attempt and return the webhooks that were started."""
        session = self._open(session_id)
        session.typed = dict(entry or {})
        payment = self._start_payment(session, self._offer(session, entry, is_forgiving=True))
        self._settle(
            payment, "failed", "CARD_DECLINED", "The card was declined by the issuing bank"
        )
        return self._report(payment)

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Record that the buyer gave up and return the webhooks that were started."""
        session = self._open(session_id)
        payment = self._start_payment(session, self._offer(session, None))
        message = "The customer cancelled the transaction"
        self._settle(payment, "cancelled", "CUSTOMER_CANCELLED", message)
        return self._report(payment)

    def _open(self, session_id: str) -> Session:
        session = self._store.known(session_id)
        if (state := self._state(session)) is not SessionState.OPEN:
            raise SessionEnded(state)
        return session

    def _state(self, session: Session) -> SessionState:
        if session.is_paid:
            return SessionState.PAID
        is_over = self._clock() >= session.expires_at
        return SessionState.EXPIRED if is_over else SessionState.OPEN

    def _snapshot(self, session: Session) -> EmulatedSession:
        return snapshot(
            session,
            provider=self.provider,
            state=self._state(session),
            checkout_url=self.checkout_url(session) or "",
        )

    def _offer(self, session: Session, entry: Entry | None, *, is_forgiving: bool = False) -> Offer:
        fields = buyers.fields(session.request, self._catalogue)
        if entry is None:
            values = form.samples(fields)
        else:
            values = (form.forgive if is_forgiving else form.check)(fields, entry)
        try:
            cart = self._cart(session, values, entry or {})
        except EntryInvalid:
            if not is_forgiving:
                raise
            cart = session.cart
        return Offer(buyer=buyers.buyer(session.request, self._catalogue, values), cart=cart)

    def _cart(self, session: Session, values: Mapping[str, str], entry: Entry) -> PricedCart:
        request = self._priced(session.request, values)
        code = entry.get(CODE_FIELD, "").strip() if takes_codes(session.request) else ""
        amounts = buyers.amounts(request, self._catalogue, values)
        try:
            codes = (code,) if code else ()
            return price(request, self._catalogue, amounts=amounts, extra_codes=codes)
        except Refusal as error:
            is_code = error.code == "INVALID_DISCOUNT_CODE"
            problem = {CODE_FIELD: "code_unknown"} if is_code else {"": "total_invalid"}
            raise EntryInvalid(problem) from error

    def _priced(self, request: CheckoutRequest, values: Mapping[str, str]) -> CheckoutRequest:
        product_id = buyers.chosen_product(request, self._catalogue, values)
        if product_id is None:
            return request
        cart = [CartItem(product_id=product_id, quantity=1)]
        return msgspec.structs.replace(request, product_cart=cart)

    def _start_payment(self, session: Session, offer: Offer) -> Payment:
        waiting = session.last_payment
        if waiting is not None and waiting.status == WAITING:
            waiting.cart, waiting.buyer = offer.cart, offer.buyer
            return waiting
        now = self._clock()
        payment = Payment(
            payment_id=f"pay_{self._new_id()}",
            session=session,
            created_at=now,
            updated_at=now,
            cart=offer.cart,
            buyer=offer.buyer,
            customer_id=self._customer_id(session.request, offer.buyer),
        )
        self._store.add_payment(payment)
        return payment

    def _customer_id(self, request: CheckoutRequest, buyer: Buyer) -> str:
        if request.customer is not None and request.customer.customer_id is not None:
            return request.customer.customer_id
        new_id = f"cus_{self._new_id()}"
        if request.feature_flags.always_create_new_customer:
            return new_id
        return self._store.customer_of(buyer.email, new_id)

    def _settle(
        self, payment: Payment, status: str, code: str | None = None, message: str | None = None
    ) -> None:
        payment.status, payment.updated_at = status, self._clock()
        payment.error_code, payment.error_message = code, message

    def _subscriptions(self, payment: Payment) -> Iterator[Subscription]:
        for line in payment.cart.lines:
            if line.product.is_recurring:
                yield Subscription(
                    subscription_id=f"sub_{self._new_id()}",
                    payment=payment,
                    line=line,
                    created_at=payment.updated_at,
                )

    def _report(self, payment: Payment) -> tuple[Delivery, ...]:
        deliveries = self._events.report(payment, link=self.page_url(payment.session))
        payment.session.deliveries.extend(deliveries)
        return deliveries
