"""Square's links, checkouts, orders and payments with their life, behind the API and the page.

Where Square publishes nothing, this is what the sandbox does:

- a deleted link is not found by reads and further deletes; deleting a paid one cancels no order;
- a legacy checkout's order can be read once it is paid, and is then COMPLETED unless it ships;
- a declined attempt is a FAILED payment that leaves the order as it was;
- a buyer who gives up leaves no trace;
- an order without lines, or with nothing to pay, is refused.
"""

from collections.abc import Iterator, Mapping

import msgspec
from aiohttp import web

from service.sandbox import form
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
from service.sandbox.square import buyer as buyers
from service.sandbox.square import payloads, queries
from service.sandbox.square.api import Creation, routes
from service.sandbox.square.catalogue import LOCATION_ID, Catalogue
from service.sandbox.square.creation import Workshop
from service.sandbox.square.errors import refusal
from service.sandbox.square.events import EventSender
from service.sandbox.square.idempotency import Replays
from service.sandbox.square.records import (
    APPROVED,
    CANCELED,
    COMPLETED,
    DRAFT,
    FAILED,
    OPEN,
    Order,
    Payment,
    Session,
    Store,
)
from service.sandbox.square.schema import JsonObject
from service.sandbox.square.view import checkout_view, snapshot


class SquareEmulator:
    """The emulated provider "square".

    With `fails_to_cancel`, deletes do what sellers have seen: they answer without
    `cancelled_order_id`, and the page goes on taking payments.
    """

    provider = "square"

    def __init__(self, around: Surroundings, *, catalogue: Catalogue) -> None:
        self.requests = RequestLog()
        self.fails_to_cancel = False
        self.public_url = around.url_of(self.provider)
        self._events = EventSender(around)
        self._store = Store(retention=around.retention)
        self._replays = Replays(retention=around.retention)
        self._workshop = Workshop(catalogue=catalogue, clock=around.clock, new_id=around.new_id)
        self._clock = around.clock
        self._new_id = around.new_id
        self.app: web.Application = routes(self, api_token=around.api_token)

    def create_link(self, body: JsonObject) -> Creation:
        """Make a payment link, or replay the answer to an idempotency key."""
        scope = ("links", "")
        if (kept := self._replays.find(scope, body)) is not None:
            return Creation(kept, is_new=False)
        session = self._workshop.link(body)
        self._store.add(session)
        answer = {
            "payment_link": self.describe_link(session),
            "related_resources": payloads.related_orders(session),
        }
        self._replays.keep(scope, body, answer)
        return Creation(answer, is_new=True)

    def create_checkout(self, body: JsonObject, location_id: str) -> Creation:
        """Make a legacy checkout, or replay the answer to an idempotency key of the location."""
        scope = ("checkouts", location_id)
        if (kept := self._replays.find(scope, body)) is not None:
            return Creation(kept, is_new=False)
        session = self._workshop.checkout(body, location_id)
        self._store.add(session)
        url = self.checkout_url(session)
        answer = {"checkout": payloads.checkout_details(session, url=url)}
        self._replays.keep(scope, body, answer)
        return Creation(answer, is_new=True)

    def link(self, link_id: str) -> Session | None:
        """Find a link that is not deleted."""
        session = self._store.session(link_id)
        is_found = session is not None and session.session_id == link_id
        return session if session and is_found and _is_listed(session) else None

    def links(self, query: Mapping[str, str]) -> JsonObject:
        """List the links that are not deleted, newest first."""
        listed = [session for session in self._store.sessions() if _is_listed(session)]
        found, cursor = queries.links_page(query, listed)
        return _listing("payment_links", [self.describe_link(link) for link in found], cursor)

    def describe_link(self, session: Session) -> JsonObject:
        """Describe a link."""
        return payloads.link_details(
            session, url=self.checkout_url(session), long_url=self.page_url(session)
        )

    def update_link(self, session: Session, changes: JsonObject) -> None:
        """Change a link: its options are replaced whole, its prefilled data is merged."""
        if changes["version"] != session.version:
            detail = f"The link is at version {session.version}."
            raise refusal("VERSION_MISMATCH", detail, "payment_link.version", status=409)
        changed = {name: value for name, value in changes.items() if name != "version"}
        if "pre_populated_data" in changed:
            before = session.body.get("pre_populated_data", {})
            changed["pre_populated_data"] = before | changed["pre_populated_data"]
        session.body = session.body | changed
        session.version += 1
        session.updated_at = self._clock()

    def delete_link(self, session: Session) -> JsonObject:
        """Delete a link and cancel its order, unless that is paid or cancelling fails."""
        session.is_deleted = True
        order = session.order
        if order.state != DRAFT or self.fails_to_cancel:
            return {"id": session.session_id}
        order.move(CANCELED, at=self._clock())
        session.deliveries.extend(self._events.order_updated(order))
        return {"id": session.session_id, "cancelled_order_id": order.order_id}

    def order(self, order_id: str) -> Order | None:
        """Find an order."""
        return self._store.order(order_id)

    def payment(self, payment_id: str) -> Payment | None:
        """Find a payment."""
        return self._store.payment(payment_id)

    def payments(self, query: Mapping[str, str]) -> JsonObject:
        """List payments."""
        wanted = queries.payments_query(query, now=self._clock(), main=LOCATION_ID)
        found, cursor = wanted.page(self._store.payments())
        return _listing("payments", [payloads.payment_details(item) for item in found], cursor)

    def find(self, name: str) -> Session | None:
        """Find a session by its id, its short link or the id the checkout service gave it."""
        return self._store.session(name)

    def checkout_url(self, session: Session) -> str:
        """Return the address that the API tells."""
        if session.is_link:
            return f"{self.public_url}/u/{session.slug}"
        place = session.order.location_id
        return f"{self.public_url}/v2/checkout?c={session.session_id}&l={place}"

    def page_url(self, session: Session) -> str:
        """Return the address that the API's address leads to."""
        return f"{self.public_url}/session/{session.session_id}"

    def sessions(self) -> Iterator[EmulatedSession]:
        """Yield the kept sessions, newest first."""
        return (self._snapshot(session) for session in self._store.sessions())

    def session(self, session_id: str) -> EmulatedSession:
        """Return one session."""
        return self._snapshot(self._store.known(session_id))

    def checkout(self, session_id: str, entry: Entry | None = None) -> CheckoutView:
        """Return what the page shows, with the totals that an entry leads to."""
        session = self._store.known(session_id)
        fields = buyers.fields(session)
        values = form.values(fields, session.typed if entry is None else entry)
        problems: dict[str, str] = {}
        tip = 0
        if values.get(buyers.TIP, "0") in buyers.TIPS:
            tip = buyers.tip(session, values)
        else:
            problems[buyers.TIP] = "choice_invalid"
        return checkout_view(
            session,
            snapshot=self._snapshot(session),
            tip=tip,
            fields=tuple(
                msgspec.structs.replace(field, value=values[field.name]) for field in fields
            ),
            problems=problems,
        )

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Pay the session and return the webhooks that were started."""
        return (*self.authorize(session_id, entry), *self.capture(session_id))

    def authorize(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Have a payment approved, without taking the money yet."""
        session = self._open(session_id)
        payment = self._attempt(session, APPROVED, self._values(session, entry))
        order = session.order
        order.payment, order.tip = payment, payment.tip
        order.move(OPEN, at=payment.created_at)
        self._store.add_order(order)
        return self._sent(session, self._events.payment("payment.created", payment))

    def capture(self, session_id: str) -> tuple[Delivery, ...]:
        """Take the money of an approved payment."""
        session = self._store.known(session_id)
        payment = session.order.payment
        if payment is None or payment.status != APPROVED:
            raise SessionEnded(self._state(session))
        payment.status, payment.updated_at = COMPLETED, self._clock()
        is_done = not session.order.draft["fulfillments"]
        session.order.move(COMPLETED if is_done else OPEN, at=payment.updated_at)
        return self._sent(
            session,
            self._events.payment("payment.updated", payment),
            self._events.order_updated(session.order),
        )

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined attempt and return the webhooks that were started."""
        session = self._open(session_id)
        session.typed = dict(entry or {})
        fields = buyers.fields(session)
        values = form.samples(fields) if entry is None else form.forgive(fields, entry)
        payment = self._attempt(session, FAILED, values)
        return self._sent(
            session,
            self._events.payment("payment.created", payment),
            self._events.payment("payment.updated", payment),
        )

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Let the buyer give up, which Square tells nobody."""
        self._open(session_id)
        return ()

    def _open(self, session_id: str) -> Session:
        session = self._store.known(session_id)
        if (state := self._state(session)) is not SessionState.OPEN:
            raise SessionEnded(state)
        return session

    def _state(self, session: Session) -> SessionState:
        if session.is_paid:
            return SessionState.PAID
        is_late = session.ends_at is not None and self._clock() >= session.ends_at
        is_over = is_late or session.order.state == CANCELED
        return SessionState.EXPIRED if is_over else SessionState.OPEN

    def _snapshot(self, session: Session) -> EmulatedSession:
        return snapshot(
            session,
            provider=self.provider,
            state=self._state(session),
            checkout_url=self.checkout_url(session),
        )

    def _values(self, session: Session, entry: Entry | None) -> dict[str, str]:
        fields = buyers.fields(session)
        return form.samples(fields) if entry is None else form.check(fields, entry)

    def _attempt(self, session: Session, status: str, values: Mapping[str, str]) -> Payment:
        now = self._clock()
        payment = Payment(
            payment_id=f"PAY{self._new_id()}",
            session=session,
            status=status,
            amount=session.order.priced.total,
            tip=buyers.tip(session, values),
            buyer=buyers.buyer(session, values),
            created_at=now,
            updated_at=now,
        )
        self._store.add_payment(payment)
        return payment

    def _sent(self, session: Session, *groups: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
        deliveries = tuple(delivery for group in groups for delivery in group)
        session.deliveries.extend(deliveries)
        return deliveries


def _is_listed(session: Session) -> bool:
    return session.is_link and not session.is_deleted


def _listing(name: str, items: list[JsonObject], cursor: str) -> JsonObject:
    return {name: items, **({"cursor": cursor} if cursor else {})} if items else {}
