"""From Dodo's JSON to the model: pure, with the tables of its words; `checkout` is the way back."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from service.core.model import (
    RESERVED_METADATA_KEY,
    Address,
    CollectedDetails,
    DisputeStatus,
    Money,
    PaymentError,
    PaymentState,
    SessionWarning,
    Totals,
    TotalsSource,
)
from service.core.ports import PaymentReport, ProviderSession
from service.providers.answers import converted, lenient
from service.providers.dodo import payloads
from service.providers.dodo.options import DodoOptions
from service.providers.pages import is_page
from service.providers.text import readable, redacted, said

T = TypeVar("T")

PAGE_DOMAIN = "dodopayments.com"

# None: the buyer has not committed to anything, so there is nothing to wait for.
PAYMENT_STATES: Mapping[str, PaymentState | None] = {
    "succeeded": PaymentState.PAID,
    "failed": PaymentState.FAILED,
    "cancelled": PaymentState.CANCELLED,
    "processing": PaymentState.PROCESSING,
    "requires_customer_action": PaymentState.PROCESSING,
    "requires_merchant_action": PaymentState.PROCESSING,
    "requires_confirmation": PaymentState.PROCESSING,
    "requires_capture": PaymentState.PROCESSING,
    "requires_payment_method": None,
    "partially_captured": PaymentState.PARTIALLY_PAID,
    "partially_captured_and_capturable": PaymentState.PARTIALLY_PAID,
}
DISPUTE_STATES: Mapping[str, DisputeStatus] = {
    "dispute_opened": DisputeStatus.OPEN,
    "dispute_challenged": DisputeStatus.OPEN,
    # Not answered in time, or given in by the merchant: the buyer keeps the money.
    "dispute_expired": DisputeStatus.LOST,
    "dispute_accepted": DisputeStatus.LOST,
    "dispute_lost": DisputeStatus.LOST,
    # Withdrawn by the buyer or the bank.
    "dispute_cancelled": DisputeStatus.WON,
    "dispute_won": DisputeStatus.WON,
}


def created(body: object, options: DodoOptions, origins: Iterable[str]) -> ProviderSession:
    """Read the answer of `POST /checkouts`. Raises ValueError with a cause when it is unusable."""
    answer = converted(body, payloads.CreatedSession)
    if not answer.session_id:
        raise ValueError("no_session_id")
    url = answer.checkout_url or ""
    if url and not is_page(url, (PAGE_DOMAIN,), origins):
        raise ValueError("foreign_checkout_url")
    warnings: tuple[SessionWarning, ...] = ()
    if not url and not options.payment_method_id:
        warnings = (SessionWarning("NO_CHECKOUT_URL", message="Dodo gave the session no page"),)
    return ProviderSession(
        provider_session_id=answer.session_id,
        url=url,
        totals=Totals(source=TotalsSource.UNKNOWN),
        warnings=warnings,
        details=said(
            payment_id=answer.payment_id,
            client_secret=answer.client_secret,
            publishable_key=answer.publishable_key,
        ),
    )


def status_of(body: object) -> payloads.SessionStatus:
    """Read the answer of `GET /checkouts/{id}`. Raises ValueError when it is unusable."""
    return converted(body, payloads.SessionStatus)


def payment_of(body: object) -> payloads.Payment:
    """Read a payment. Raises ValueError when it is unusable."""
    return converted(body, payloads.Payment)


def retrieved(
    provider_session_id: str,
    payment: payloads.Payment | None,
    status: payloads.SessionStatus | None = None,
) -> ProviderSession:
    """Build what is known of a session from its payment, or from its own answer while it has none."""
    if payment is None:
        buyer = _buyer(status) if status else None
        return ProviderSession(provider_session_id=provider_session_id, collected=buyer)
    report = payment_report(payment, lenient(status.payment_status, str) if status else None)
    is_free = is_authorisation(payment)
    return ProviderSession(
        provider_session_id=provider_session_id,
        totals=_totals(payment) if is_free else None,
        authorised=is_free,
        authorised_time=payment.created_at if is_free else None,
        payments=() if report is None or is_free else (report,),
        subscription_id=payment.subscription_id or "",
        collected=collected(payment),
    )


def payment_report(payment: payloads.Payment, status: str | None = None) -> PaymentReport | None:
    """Build what a payment says, `status` standing in where it has none; None if it says nothing."""
    state = payment_state(payment.status or status, is_declined=bool(payment.error_code))
    if state is None:
        return None
    return PaymentReport(
        payment_id=payment.payment_id,
        status=state,
        amount=Money(payment.total_amount, payment.currency),
        payment_time=payment.created_at,
        error=_payment_error(payment, state),
        totals=_totals(payment) if state is PaymentState.PAID else None,
        warnings=_status_warnings(payment.status),
        refunds={
            refund.refund_id: Money(refund.amount, refund.currency or payment.currency)
            for refund in payment.refunds or ()
            if refund.status == "succeeded" and refund.amount
        },
        disputes={
            dispute.dispute_id: dispute_state(dispute.dispute_status)
            for dispute in payment.disputes or ()
        },
        subscription_id=payment.subscription_id or "",
        collected=collected(payment),
    )


def payment_state(status: str | None, *, is_declined: bool = False) -> PaymentState | None:
    """Map an intent's status; an unknown one is undecided, and an intent goes back after a decline."""
    state = PAYMENT_STATES.get(status, PaymentState.PROCESSING) if status else None
    return PaymentState.FAILED if state is None and is_declined else state


def dispute_state(status: str) -> DisputeStatus:
    """Map a dispute's status; an unknown one needs attention, so it is open."""
    return DISPUTE_STATES.get(status, DisputeStatus.OPEN)


def is_authorisation(payment: payloads.Payment) -> bool:
    """Tell whether a payment only set up a subscription: a trial or a mandate, nothing charged."""
    is_free = payment.status == "succeeded" and payment.total_amount == 0
    return is_free and bool(payment.subscription_id)


def collected(source: payloads.Payment | payloads.Subscription) -> CollectedDetails | None:
    """Return what the buyer typed, as far as it can be read."""
    buyer = lenient(source.customer, payloads.Buyer) or payloads.Buyer()
    billing = lenient(source.billing, payloads.Billing)
    responses = lenient(source.custom_field_responses, list[payloads.FieldResponse]) or []
    tax_id = source.tax_id if isinstance(source, payloads.Subscription) else None
    details = CollectedDetails(
        email=buyer.email or "",
        name=buyer.name or "",
        phone_number=buyer.phone_number or "",
        billing_address=_address(billing) if billing else None,
        tax_id=tax_id if isinstance(tax_id, str) else "",
        custom_fields={response.key: response.value for response in responses},
        customer_id=buyer.customer_id or "",
    )
    return None if details == CollectedDetails() else details


def _buyer(status: payloads.SessionStatus) -> CollectedDetails | None:
    details = CollectedDetails(
        email=lenient(status.customer_email, str) or "",
        name=lenient(status.customer_name, str) or "",
    )
    return None if details == CollectedDetails() else details


def our_session_id(metadata: object) -> str:
    """Return our session's id out of Dodo's metadata, empty where it is not there."""
    value = metadata.get(RESERVED_METADATA_KEY) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def _totals(payment: payloads.Payment) -> Totals:
    return Totals(
        source=TotalsSource.PROVIDER,
        tax=None if payment.tax is None else Money(payment.tax, payment.currency),
        total=Money(payment.total_amount, payment.currency),
    )


def _status_warnings(status: str | None) -> tuple[SessionWarning, ...]:
    if status is None or status in PAYMENT_STATES:
        return ()
    message = f"payment status {readable(status, 64)!r} is unknown and taken as undecided"
    return (SessionWarning("UNKNOWN_PAYMENT_STATUS", message=message),)


def _payment_error(payment: payloads.Payment, state: PaymentState) -> PaymentError | None:
    if state is PaymentState.PAID or not (payment.error_code or payment.error_message):
        return None
    return PaymentError(
        code=readable(payment.error_code or "", 64),
        message=readable(redacted(payment.error_message or "", _personal(payment))),
        provider_payment_id=payment.payment_id,
    )


def _personal(payment: payloads.Payment) -> Iterable[str]:
    details = collected(payment) or CollectedDetails()
    yield from (details.email, details.name, *details.name.split(), details.phone_number)
    address = details.billing_address or Address()
    yield from (address.line1, address.city, address.region, address.postal_code)


def _address(billing: payloads.Billing) -> Address:
    return Address(
        country=billing.country or "",
        line1=billing.street or "",
        city=billing.city or "",
        region=billing.state or "",
        postal_code=billing.zipcode or "",
    )
