"""SellApp's invoices with their life, behind the API and the processor's page.

Where SellApp publishes nothing, `Habits` choose between what it may do, and the rest is this:

- an invoice lives nine hours, as in the sample of the documents;
- a trial's invoice has a full price of 0, and VAT is added to prices in a few countries;
- a declined attempt leaves the invoice pending, and a buyer who gives up leaves no trace;
- what is paid by hand is in REVIEW until the seller marks it completed.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

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
    SessionUnknown,
)
from service.sandbox.requests import RequestLog
from service.sandbox.sellapp import buyer as buyers
from service.sandbox.sellapp.api import routes
from service.sandbox.sellapp.catalogue import Catalogue, Store
from service.sandbox.sellapp.enums import (
    COMPLETED,
    MANUAL,
    PAID,
    PARTIAL,
    PENDING,
    REVIEW,
    TRIAL_METHODS,
    UNDECIDED,
    VOIDED,
)
from service.sandbox.sellapp.errors import JsonObject, unfit
from service.sandbox.sellapp.events import EventSender
from service.sandbox.sellapp.payloads import invoice_details
from service.sandbox.sellapp.pricing import VAT_RATES, price
from service.sandbox.sellapp.records import LIFETIME, Attempt, Invoice, Invoices, Status
from service.sandbox.sellapp.request import InvoiceRequest
from service.sandbox.sellapp.view import checkout_view, snapshot

TRIAL_MEMORY = timedelta(days=30)
TRIAL_PATIENCE = timedelta(hours=72)
DECLINED = "DECLINED"


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What SellApp does where its documents leave it open, or contradict each other.

    `free_status` is that of an invoice that costs nothing, once its checkout was asked for.
    """

    free_status: str = COMPLETED
    voids_at_expiry: bool = True
    lists_errors: bool = True
    shows_quantities: bool = False
    delivers_at_once: bool = True
    lifetime: timedelta = LIFETIME


class SellappEmulator:
    """The emulated provider "sellapp"; `habits` and `abilities` of the key may be changed at any time."""

    provider = "sellapp"

    def __init__(self, around: Surroundings, *, catalogue: Catalogue) -> None:
        self.requests = RequestLog()
        self.habits = Habits()
        self.abilities = frozenset({"invoice"})
        self.catalogue = catalogue
        self.public_url = around.url_of(self.provider)
        self._events = EventSender(around)
        self._invoices = Invoices(retention=around.retention)
        self._clock = around.clock
        self._new_id = around.new_id
        self.app: web.Application = routes(self, api_token=around.api_token)

    def create(self, request: InvoiceRequest, store: Store) -> Invoice:
        """Make an invoice."""
        now = self._clock()
        is_trial = self._has_trial(request, now)
        customer = request.customer
        rate = 0 if customer.vat_id else VAT_RATES.get(customer.country, 0)
        invoice = Invoice(
            invoice_id=self._fresh_id(),
            store=store,
            customer=customer,
            payment_method=request.payment_method,
            lines=request.lines,
            priced=price(
                request.lines, request.coupon, request.extra, vat_rate=rate, is_trial=is_trial
            ),
            coupon=request.coupon,
            affiliate=request.affiliate,
            is_trial=is_trial,
            created_at=now,
            updated_at=now,
            expires_at=now + self.habits.lifetime,
            statuses=[Status(PENDING, now)],
        )
        self._check_holder(invoice)
        self._invoices.add(invoice)
        self._events.report(invoice, "order.created")
        return invoice

    def go_to_checkout(self, invoice: Invoice) -> tuple[int, str, str]:
        """Return a status, a message and the processor's page; nothing is due where it is empty."""
        self._check_payable(invoice)
        if invoice.transaction_id:
            return 200, "The existing payment session was returned.", self.page_url(invoice)
        if invoice.priced.due == 0 and not invoice.is_trial:
            self._settle(invoice, self.habits.free_status)
            return 200, "The invoice has been paid.", ""
        invoice.transaction_id = self._new_id().upper()
        return 201, "A new payment session has been generated.", self.page_url(invoice)

    def void(self, invoice: Invoice) -> None:
        """Take a pending invoice back."""
        self._check_status(invoice, {PENDING})
        invoice.move(VOIDED, at=self._clock())

    def complete(self, invoice: Invoice) -> None:
        """Take the seller's word that an invoice is paid."""
        self._check_status(invoice, UNDECIDED)
        is_confirmed = invoice.status == REVIEW
        self._settle(invoice, COMPLETED)
        if is_confirmed:
            self._events.report(invoice, "order.manual_payment_completed")

    def change(self, invoice: Invoice, status: str) -> None:
        """Set a status as a seller or the processor would."""
        invoice.move(status, at=self._clock())
        if status == "DISPUTING":
            self._events.report(invoice, "order.disputed")

    def deliver(self, invoice: Invoice) -> None:
        """Hand a paid invoice's goods over."""
        self._check_status(invoice, {PAID})
        invoice.move(COMPLETED, at=self._clock())
        self._events.report(invoice, "order.completed")

    def find(self, invoice_id: str, store: Store) -> Invoice | None:
        """Find an invoice of a store."""
        invoice = self._invoices.session(invoice_id)
        is_found = invoice is not None and invoice.store is store
        return self._aged(invoice) if invoice and is_found else None

    def invoices(self, store: Store) -> Iterator[Invoice]:
        """Yield the invoices of a store, newest first."""
        return (self._aged(one) for one in self._invoices.sessions() if one.store is store)

    def describe(self, invoice: Invoice, *, is_new: bool = False) -> JsonObject:
        """Describe an invoice."""
        return invoice_details(
            invoice,
            checkout_url=self.page_url(invoice),
            webhook_url=self._events.url,
            shows_quantities=self.habits.shows_quantities,
            is_new=is_new,
        )

    def lists_errors(self) -> bool:
        """Tell whether a refusal lists every field beside the first."""
        return self.habits.lists_errors

    def request_id(self) -> str:
        """Return a fresh id for an answer."""
        return self._new_id()

    def page_url(self, invoice: Invoice) -> str:
        """Return the address of the processor's page."""
        return f"{self.public_url}/session/{invoice.session_id}"

    def sessions(self) -> Iterator[EmulatedSession]:
        """Yield the kept invoices, newest first."""
        return (self._snapshot(self._aged(one)) for one in self._invoices.sessions())

    def session(self, session_id: str) -> EmulatedSession:
        """Return one invoice."""
        return self._snapshot(self._known(session_id))

    def checkout(self, session_id: str, entry: Entry | None = None) -> CheckoutView:
        """Return what the processor's page shows."""
        invoice = self._known(session_id)
        if not invoice.transaction_id:
            raise SessionUnknown(session_id)
        fields = buyers.fields(invoice)
        values = form.values(fields, invoice.typed if entry is None else entry)
        return checkout_view(
            invoice,
            snapshot=self._snapshot(invoice),
            fields=tuple(msgspec.structs.replace(one, value=values[one.name]) for one in fields),
            problems={},
        )

    def pay(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Pay the invoice, or a part of it, and return the webhooks that were started."""
        invoice = self._open(session_id)
        fields = buyers.fields(invoice)
        values = form.samples(fields) if entry is None else form.check(fields, entry)
        amount = buyers.sent(invoice, values)
        before = len(invoice.deliveries)
        self._attempt(invoice, PAID, amount)
        if invoice.payment_method in MANUAL:
            invoice.move(REVIEW, at=self._clock())
        elif buyers.remaining(invoice) > 0:
            invoice.move(PARTIAL, at=self._clock())
            self._events.report(invoice, "order.partial_paid")
        else:
            self._settle(invoice, PAID)
            if self.habits.delivers_at_once:
                self.deliver(invoice)
        return tuple(invoice.deliveries[before:])

    def decline(self, session_id: str, entry: Entry | None = None) -> tuple[Delivery, ...]:
        """Record a declined attempt, which SellApp tells nobody."""
        invoice = self._open(session_id)
        invoice.typed = dict(entry or {})
        self._attempt(invoice, DECLINED, invoice.priced.due)
        return ()

    def abandon(self, session_id: str) -> tuple[Delivery, ...]:
        """Let the buyer give up, which SellApp tells nobody."""
        self._open(session_id)
        return ()

    def _fresh_id(self) -> int:
        while True:
            digest = hashlib.sha256(self._new_id().encode()).digest()
            # Numbers that every JSON reader takes exactly.
            number = int.from_bytes(digest[:6], "big")
            if number and self._invoices.session(str(number)) is None:
                return number

    def _has_trial(self, request: InvoiceRequest, now: datetime) -> bool:
        (first, *_) = request.lines
        if not first.variant.trial_days or request.payment_method not in TRIAL_METHODS:
            return False
        return not any(
            taken.is_trial
            and taken.is_settled
            and taken.lines[0].variant.product_id == first.variant.product_id
            and now - taken.created_at <= TRIAL_MEMORY
            and (
                taken.customer.email == request.customer.email
                or (request.customer.ip and taken.customer.ip == request.customer.ip)
            )
            for taken in self._invoices.sessions()
        )

    def _check_holder(self, invoice: Invoice) -> None:
        variant = invoice.lines[0].variant
        if variant.is_plan and any(
            held.subscription_id is not None
            and held.customer.email == invoice.customer.email
            and held.lines[0].variant == variant
            for held in self._invoices.sessions()
        ):
            raise unfit("invoice", "The customer already has this subscription.")

    def _check_payable(self, invoice: Invoice) -> None:
        if invoice.status not in {PENDING, PARTIAL}:
            raise unfit("invoice", "The invoice is not pending.")
        if invoice.is_trial and self._clock() - invoice.created_at > TRIAL_PATIENCE:
            raise unfit("invoice.checkout", "The trial of this invoice can no longer be started.")

    def _check_status(self, invoice: Invoice, statuses: frozenset[str] | set[str]) -> None:
        if invoice.status not in statuses:
            raise unfit("status", f"The invoice is {invoice.status}.")

    def _settle(self, invoice: Invoice, status: str) -> None:
        now = self._clock()
        if any(line.variant.is_plan for line in invoice.lines):
            invoice.subscription_id = self._fresh_id()
        invoice.move(status, at=now)
        self._events.report(invoice, "order.paid" if status == PAID else "order.completed")

    def _attempt(self, invoice: Invoice, status: str, amount: int) -> None:
        attempt = Attempt(
            payment_id=f"{invoice.transaction_id}-{len(invoice.payments) + 1}",
            status=status,
            amount=amount,
            created_at=self._clock(),
        )
        self._invoices.pay(invoice, attempt)

    def _aged(self, invoice: Invoice) -> Invoice:
        is_over = self._clock() >= invoice.expires_at
        if invoice.is_pending and is_over and self.habits.voids_at_expiry:
            invoice.move(VOIDED, at=invoice.expires_at)
        return invoice

    def _known(self, session_id: str) -> Invoice:
        return self._aged(self._invoices.known(session_id))

    def _open(self, session_id: str) -> Invoice:
        invoice = self._known(session_id)
        if not invoice.transaction_id:
            raise SessionUnknown(session_id)
        if (state := self._state(invoice)) is not SessionState.OPEN:
            raise SessionEnded(state)
        return invoice

    def _state(self, invoice: Invoice) -> SessionState:
        if invoice.is_settled or invoice.status == REVIEW:
            return SessionState.PAID
        is_over = self._clock() >= invoice.expires_at or invoice.status not in UNDECIDED
        return SessionState.EXPIRED if is_over else SessionState.OPEN

    def _snapshot(self, invoice: Invoice) -> EmulatedSession:
        return snapshot(
            invoice,
            provider=self.provider,
            state=self._state(invoice),
            checkout_url=self.page_url(invoice),
        )
