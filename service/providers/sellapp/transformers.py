"""From SellApp's invoices to the model: pure, with the tables of its words; `invoices` is the way back."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from service.core.model import (
    CollectedDetails,
    DisputeStatus,
    Money,
    PaymentError,
    PaymentState,
    SessionWarning,
    Totals,
    TotalsSource,
)
from service.core.model import UnknownOutcomeStrategy as Strategy
from service.core.ports import (
    Closing,
    PaymentReport,
    ProviderSession,
    Step,
    SubscriptionReport,
)
from service.providers.answers import converted, decoder, lenient
from service.providers.pages import PLAIN_URL
from service.providers.sellapp import payloads
from service.providers.sellapp.details import details_of, unreadable_amounts
from service.providers.text import origin, readable

T = TypeVar("T")

INVOICE = decoder(payloads.WrappedWholeInvoice)
CHECKOUT = decoder(payloads.WholeCheckout)

PENDING, PARTIAL, REVIEW, VOIDED, FAILED = "PENDING", "PARTIAL", "REVIEW", "VOIDED", "FAILED"
SETTLED = frozenset({"PAID", "COMPLETED"})
RETURNED = frozenset({"REFUNDED", "REVERSED"})
DISPUTING = "DISPUTING"
TIMED_BY: Mapping[PaymentState, Collection[str]] = {
    # A buyer who claims to have paid has committed; the seller may take long to look.
    PaymentState.PAID: SETTLED | {REVIEW},
    PaymentState.PARTIALLY_PAID: {PARTIAL},
}
# The processor's page takes nothing more.
ENDED = SETTLED | RETURNED | {DISPUTING, VOIDED, FAILED}
UNPAID: Mapping[str, PaymentState | None] = {
    PENDING: None,
    REVIEW: PaymentState.PROCESSING,
    VOIDED: None,
    FAILED: PaymentState.FAILED,
}
KNOWN = ENDED | {PENDING, PARTIAL, REVIEW}

INVOICE_ID = "invoice_id"
MAY_BE_FREE = "may_be_free"


def wrapped(body: object) -> payloads.Invoice:
    """Read the answer of creating or reading. Raises ValueError with a cause when it is unusable."""
    return converted(body, payloads.WrappedInvoice).data


def bare(body: object) -> payloads.Invoice:
    """Read the answer of marking. Raises ValueError with a cause when it is unusable."""
    return converted(body, payloads.Invoice)


def found(body: object) -> list[payloads.Invoice]:
    """Read the answer of a search. Raises ValueError with a cause when any of it is unusable."""
    return converted(body, payloads.InvoicePage).data


def step(invoice: payloads.Invoice, *, preexisting: bool = False) -> Step:
    """Build what is known once the invoice is made: a checkout of nothing due ends the purchase."""
    is_free = invoice.due.amount == 0
    return Step(
        **msgspec.structs.asdict(_known(invoice)),
        kept={INVOICE_ID: invoice.session_id, **({MAY_BE_FREE: "true"} if is_free else {})},
        strategy=Strategy.NEVER if is_free else Strategy.RECREATE,
        preexisting=preexisting,
    )


def checked_out(body: object, origins: Iterable[str]) -> ProviderSession:
    """Read the answer of a checkout. Raises ValueError with a cause when it is unusable."""
    answer = converted(body, payloads.Checkout)
    invoice = answer.invoice
    url = answer.payment_url or ""
    if url and not _is_page(url, origins):
        raise ValueError("foreign_checkout_url")
    is_free = not url and invoice.due.amount == 0 and word(invoice) in SETTLED | {PENDING}
    session = retrieved(invoice, answer.message)
    if not url and not is_free and not session.payments:
        missing = SessionWarning("NO_CHECKOUT_URL", message="SellApp gave the invoice no page")
        session = msgspec.structs.replace(session, warnings=(*session.warnings, missing))
    return msgspec.structs.replace(session, url=url, authorised=session.authorised or is_free)


def warned(session: ProviderSession, expire_time: datetime) -> ProviderSession:
    """Return a session with a warning where SellApp's end of it comes before ours."""
    ends = session.payable_until
    if ends is None or ends >= expire_time:
        return session
    message = f"SellApp takes payments until {ends.isoformat()} only"
    warning = SessionWarning("ENDS_EARLIER", field="expire_time", message=message)
    return msgspec.structs.replace(session, warnings=(*session.warnings, warning))


def retrieved(invoice: payloads.Invoice, message: str = "") -> ProviderSession:
    """Build what an invoice says of its session."""
    report = payment_report(invoice)
    is_free = is_authorised(invoice)
    return msgspec.structs.replace(
        _known(invoice, message),
        authorised=is_free,
        authorised_time=report.payment_time if report and is_free else None,
        payments=() if report is None or is_free else (report,),
    )


def closing(invoice: payloads.Invoice) -> Closing:
    """Tell what came of taking an invoice back."""
    session = retrieved(invoice)
    return Closing(
        closed=word(invoice) in ENDED,
        payments=session.payments,
        authorised=session.authorised,
        authorised_time=session.authorised_time,
    )


def payment_report(invoice: payloads.Invoice) -> PaymentReport | None:
    """Build what an invoice says of its payment, of which it has one at most; None while there is none."""
    state = payment_state(invoice)
    if state is None:
        return None
    now = word(invoice)
    return PaymentReport(
        payment_id=invoice.session_id,
        status=state,
        # Of an invoice that is paid in part, SellApp does not say which part.
        amount=None if state is PaymentState.PARTIALLY_PAID else invoice.due,
        payment_time=_payment_time(invoice, state),
        error=_payment_error(invoice, state),
        totals=totals(invoice) if state is PaymentState.PAID else None,
        warnings=_status_warnings(now),
        refunds={f"{invoice.id}:{now.lower()}": invoice.due} if now in RETURNED else {},
        disputes=_disputes(invoice),
        subscription_id=_subscription_id(invoice),
        collected=collected(invoice),
        details=details_of(invoice),
    )


def payment_state(invoice: payloads.Invoice) -> PaymentState | None:
    """Tell how far an invoice's payment is; money that came in is not forgotten for a later status."""
    words = {entry.status.upper() for entry in invoice.statuses}
    now = word(invoice)
    if words & SETTLED or now in RETURNED | {DISPUTING}:
        return PaymentState.PAID
    if PARTIAL in words:
        return PaymentState.PARTIALLY_PAID
    if now == VOIDED and REVIEW in words:
        return PaymentState.CANCELLED
    # An unknown status is undecided.
    return UNPAID.get(now, PaymentState.PROCESSING)


def is_authorised(invoice: payloads.Invoice) -> bool:
    """Tell whether an invoice is settled and nothing was due: it is free, or a trial has begun."""
    return invoice.due.amount == 0 and payment_state(invoice) is PaymentState.PAID


def authorisation(invoice: payloads.Invoice) -> SubscriptionReport:
    """Build what an invoice says of which nothing was due."""
    return SubscriptionReport(
        subscription_id=_subscription_id(invoice),
        authorised=True,
        authorised_time=_payment_time(invoice, PaymentState.PAID),
        collected=collected(invoice),
    )


def word(invoice: payloads.Invoice) -> str:
    """Return the current status."""
    return invoice.status.status.status.upper()


def totals(invoice: payloads.Invoice) -> Totals:
    """Return what SellApp says an invoice comes to."""
    full = invoice.payment.full_price
    subtotal = lenient(invoice.payment.subtotal, payloads.Amount)
    tax = full.inclusive.amount - full.exclusive.amount
    return Totals(
        source=TotalsSource.PROVIDER,
        subtotal=subtotal.exclusive if subtotal else None,
        tax=Money(tax, full.currency) if tax >= 0 else None,
        total=full.inclusive,
    )


def collected(invoice: payloads.Invoice) -> CollectedDetails | None:
    """Return who the invoice is for, as far as it can be read."""
    buyer = lenient(invoice.customer_information, payloads.Visitor) or payloads.Visitor()
    details = CollectedDetails(
        email=lenient(buyer.email, str) or "",
        tax_id=lenient(buyer.vat_id, str) or "",
        customer_id=str(lenient(buyer.id, int) or ""),
    )
    return None if details == CollectedDetails() else details


def _known(invoice: payloads.Invoice, message: str = "") -> ProviderSession:
    return ProviderSession(
        provider_session_id=invoice.session_id,
        payable_until=invoice.payment.expires_at,
        totals=totals(invoice),
        subscription_id=_subscription_id(invoice),
        collected=collected(invoice),
        warnings=tuple(_amount_warnings(invoice)),
        details=details_of(invoice, message),
    )


def _subscription_id(invoice: payloads.Invoice) -> str:
    return "" if invoice.subscription_id is None else str(invoice.subscription_id)


def _payment_time(invoice: payloads.Invoice, state: PaymentState) -> datetime | None:
    wanted = TIMED_BY.get(state, {word(invoice)})
    times = [entry.set_at for entry in invoice.statuses if entry.status.upper() in wanted]
    return min((at for at in times if at is not None), default=None)


def _payment_error(invoice: payloads.Invoice, state: PaymentState) -> PaymentError | None:
    if state is not PaymentState.FAILED:
        return None
    return PaymentError(
        code=FAILED,
        message="SellApp says that the payment failed",
        provider_payment_id=invoice.session_id,
    )


def _disputes(invoice: payloads.Invoice) -> dict[str, DisputeStatus]:
    if all(entry.status.upper() != DISPUTING for entry in invoice.statuses):
        return {}
    status = DisputeStatus.OPEN
    if word(invoice) in RETURNED:
        status = DisputeStatus.LOST
    if word(invoice) in SETTLED:
        status = DisputeStatus.WON
    return {invoice.session_id: status}


def _status_warnings(now: str) -> tuple[SessionWarning, ...]:
    if now in KNOWN:
        return ()
    message = f"invoice status {readable(now, 64)!r} is unknown and taken as undecided"
    return (SessionWarning("UNKNOWN_PAYMENT_STATUS", message=message),)


def _amount_warnings(invoice: payloads.Invoice) -> Iterable[SessionWarning]:
    for name in unreadable_amounts(invoice):
        yield SessionWarning(
            "UNREADABLE_AMOUNT",
            field=f"provider_details.sellapp.{name}",
            message="SellApp's amount is no text of an integer and is left out",
        )


def _is_page(url: str, origins: Iterable[str]) -> bool:
    # The page is the payment processor's, and sellers choose among many, their own servers included.
    try:
        parts = urlsplit(url)
        is_web = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
    return PLAIN_URL.fullmatch(url) is not None and (is_web or origin(url) in origins)
