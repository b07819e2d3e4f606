"""FastSpring's sessions, orders and events with their life, behind the HTTP API, the page and the sandbox service.

Where FastSpring publishes nothing, this is what the sandbox does:

- a session stays OPEN after a declined order, and a buyer who gives up leaves no trace;
- a session is still read after it was bought or has expired;
- a batch has the order first and its subscriptions after it.

Some facts are not certain, and these switches show the other side of each: `sends_bare_events` leaves only ids
in events, `has_no_pages` makes checkouts that are part of a shop's page, `breaks_events` spoils the last event
of each batch.
"""

from collections.abc import Iterator

import msgspec
from aiohttp import web

from service.sandbox import form
from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings
from service.sandbox.emulator import (
    CheckoutView,
    EmulatedSession,
    Entry,
    EntryInvalid,
    SessionEnded,
    SessionState,
    SessionUnknown,
)
from service.sandbox.fastspring import buyer as buyers
from service.sandbox.fastspring import payloads
from service.sandbox.fastspring.api import routes
from service.sandbox.fastspring.catalogue import Catalogue
from service.sandbox.fastspring.enums import PLAN
from service.sandbox.fastspring.errors import invalid, not_found, problem
from service.sandbox.fastspring.events import EventSender
from service.sandbox.fastspring.pricing import PricedCart, price
from service.sandbox.fastspring.records import COMPLETED, FAILED, PENDING, Order, Session, Store
from service.sandbox.fastspring.schema import JsonObject
from service.sandbox.fastspring.view import checkout_view, snapshot
from service.sandbox.fastspring.warnings import DEFAULT_COUNTRY, warnings_of
from service.sandbox.requests import RequestLog

STATUSES = {COMPLETED: "COMPLETED", PENDING: "PENDING_ORDER"}


class FastspringEmulator:
    """The emulated provider "fastspring"."""

    provider = "fastspring"

    def __init__(self, around: Surroundings, *, catalogue: Catalogue) -> None:
        self.requests = RequestLog()
        self.sends_bare_events = False
        self.has_no_pages = False
        self.breaks_events = False
        self.events = EventSender(around)
        self.clock = around.clock
        self.new_id = around.new_id
        self.public_url = around.url_of(self.provider)
        self._catalogue = catalogue
        self._store = Store(retention=around.retention)
        self.app: web.Application = routes(self, password=around.api_token)

    def create(self, body: JsonObject, store_id: str, checkout_id: str) -> Session:
        """Price a checked body and open a session for it."""
        is_test = self._mode(store_id, checkout_id)
        self._check_products(body)
        warnings = warnings_of(body, self._catalogue, is_test_checkout=is_test)
        ignored = {warning["code"] for warning in warnings}
        country = body.get("country", DEFAULT_COUNTRY)
        if "INVALID_COUNTRY" in ignored:
            country = DEFAULT_COUNTRY
        cart = body.get("cart", {})
        session = Session(
            session_id=f"OS{self.new_id()}",
            body=body,
            checkout_id=checkout_id,
            country=country,
            live=body.get("live", True) and not is_test,
            cart=price(cart, self._catalogue, country, cart.get("couponCode", "")),
            warnings=warnings,
            created_at=self.clock(),
        )
        self._store.add(session)
        return session

    def find(self, session_id: str, store_id: str, checkout_id: str) -> Session | None:
        """Find a session of a checkout."""
        self._mode(store_id, checkout_id)
        session = self._store.session(session_id)
        is_mine = session is not None and session.session_id == session_id
        return session if session and is_mine and session.checkout_id == checkout_id else None

    def order(self, order_id: str) -> Order | None:
        """Find an order."""
        return self._store.payment(order_id)

    def status(self, session: Session) -> str:
        """Return the status that the API tells."""
        if session.order is not None:
            return STATUSES[session.order.status]
        return "EXPIRED" if self.clock() >= session.expires_at else "OPEN"

    def checkout_url(self, session: Session) -> str | None:
        """Return the address that the API tells, where the checkout has a page."""
        return None if self.has_no_pages else f"{self.public_url}/session/{session.session_id}"

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
        fields = buyers.fields(session)
        values = form.values(fields, entry)
        cart, problems = session.cart, {}
        try:
            cart = self._cart(session, values[buyers.COUNTRY], entry)
        except EntryInvalid as error:
            problems = error.problems
        return checkout_view(
            session,
            snapshot=self._snapshot(session),
            cart=session.order.cart if session.order else cart,
            fields=tuple(
                msgspec.structs.replace(field, value=values[field.name]) for field in fields
            ),
            code=entry.get(buyers.CODE_FIELD, "").strip(),
            problems=problems,
        )

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Buy what the session holds and return the webhooks that were started."""
        return self._complete(self._ordered(self._open(session_id), COMPLETED, entry))

    def submit(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Order by a way to pay that takes days, which `complete` ends."""
        order = self._ordered(self._open(session_id), PENDING, entry)
        return self._sent(order.session, ("order.payment.pending", self._order_data(order)))

    def complete(self, session_id: str) -> tuple[Delivery, ...]:
        """Have the money of a submitted order arrive."""
        session = self._store.known(session_id)
        order = session.order
        if order is None or order.status != PENDING:
            raise SessionEnded(self._state(session))
        order.status, order.changed = COMPLETED, self.clock()
        return self._complete(order)

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined order and return the webhooks that were started."""
        session = self._open(session_id)
        session.typed = dict(entry or {})
        order = self._ordered(session, FAILED, entry, is_forgiving=True)
        data = payloads.order_details(order) | {"reason": "DECLINED"}
        return self._sent(session, ("order.failed", data))

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Let the buyer give up, which FastSpring tells nobody."""
        self._open(session_id)
        return ()

    def refund(self, session_id: str, amount: int) -> tuple[Delivery, ...]:
        """Return a part of the money of a session's order."""
        order = self._bought(session_id)
        return_id = f"RET{self.new_id()}"
        data = payloads.return_details(order, return_id=return_id, amount=amount, at=self.clock())
        return self._sent(order.session, ("return.created", data))

    def dispute(self, session_id: str, status: str = "NEW") -> tuple[Delivery, ...]:
        """Have the buyer's bank take a session's order back."""
        order = self._bought(session_id)
        data = payloads.chargeback_details(order, status=status)
        return self._sent(order.session, ("chargeback.created", data))

    def _mode(self, store_id: str, checkout_id: str) -> bool:
        if f"{store_id}/{checkout_id}" not in self._catalogue.checkouts:
            raise not_found(f"Checkout {store_id}/{checkout_id}")
        return self._catalogue.checkouts[f"{store_id}/{checkout_id}"]

    def _check_products(self, body: JsonObject) -> None:
        lines = body.get("cart", {}).get("lineItems", [])
        unknown = [
            problem(
                "INVALID_PRODUCT_PATH",
                f"cart.lineItems[{index}].productPath",
                f"Product {line['productPath']} does not exist.",
                line["productPath"],
            )
            for index, line in enumerate(lines)
            if line["productPath"] not in self._catalogue.products
        ]
        if unknown:
            raise invalid(unknown)

    def _open(self, session_id: str) -> Session:
        session = self._store.known(session_id)
        if (state := self._state(session)) is not SessionState.OPEN:
            raise SessionEnded(state)
        return session

    def _bought(self, session_id: str) -> Order:
        session = self._store.known(session_id)
        if session.order is None or session.order.status != COMPLETED:
            raise SessionUnknown(session_id)
        return session.order

    def _state(self, session: Session) -> SessionState:
        if session.order is not None:
            return SessionState.PAID
        is_over = self.clock() >= session.expires_at
        return SessionState.EXPIRED if is_over else SessionState.OPEN

    def _snapshot(self, session: Session) -> EmulatedSession:
        return snapshot(
            session,
            provider=self.provider,
            state=self._state(session),
            checkout_url=self.checkout_url(session) or "",
        )

    def _cart(self, session: Session, country: str, entry: Entry) -> PricedCart:
        code = entry.get(buyers.CODE_FIELD, "").strip()
        if code and code not in self._catalogue.coupons:
            raise EntryInvalid({buyers.CODE_FIELD: "code_unknown"})
        cart = session.body.get("cart", {})
        return price(cart, self._catalogue, country, code or cart.get("couponCode", ""))

    def _ordered(
        self, session: Session, status: str, entry: Entry | None, *, is_forgiving: bool = False
    ) -> Order:
        fields = buyers.fields(session)
        if entry is None:
            values = form.samples(fields)
        else:
            values = (form.forgive if is_forgiving else form.check)(fields, entry)
        cart = session.cart
        if not is_forgiving:
            cart = self._cart(session, values[buyers.COUNTRY], entry or {})
        number = self.new_id()
        order = Order(
            payment_id=f"OR{number}",
            reference=f"DEMO-{number}",
            session=session,
            status=status,
            cart=cart,
            buyer=buyers.buyer(values),
            changed=self.clock(),
        )
        session.payments.append(order)
        self._store.add_payment(order)
        return order

    def _complete(self, order: Order) -> tuple[Delivery, ...]:
        order.subscriptions = {
            index: f"SUB{self.new_id()}"
            for index, line in enumerate(order.cart.lines)
            if line.product.kind == PLAN
        }
        started: list[tuple[str, object]] = [
            ("subscription.activated", payloads.subscription_details(order, index))
            for index in order.subscriptions
        ]
        return self._sent(order.session, ("order.completed", self._order_data(order)), *started)

    def _order_data(self, order: Order) -> object:
        return order.payment_id if self.sends_bare_events else payloads.order_details(order)

    def _sent(self, session: Session, *news: tuple[str, object]) -> tuple[Delivery, ...]:
        if self.breaks_events:
            news = (*news[:-1], (news[-1][0], {"id": 1}))
        deliveries = self.events.send(*news, live=session.live)
        session.deliveries.extend(deliveries)
        return deliveries
