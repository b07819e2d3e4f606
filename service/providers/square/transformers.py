"""From Square's JSON of payments and orders to the model: pure, with the tables of its words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from service.core.model import (
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
from service.providers.answers import lenient
from service.providers.square import payloads
from service.providers.square.totals import gross
from service.providers.text import readable, redacted

T = TypeVar("T")

# An approved payment is held at the bank and not taken yet.
PAYMENT_STATES: Mapping[str, PaymentState] = {
    "APPROVED": PaymentState.PROCESSING,
    "PENDING": PaymentState.PROCESSING,
    "COMPLETED": PaymentState.PAID,
    "CANCELED": PaymentState.CANCELLED,
    "FAILED": PaymentState.FAILED,
}
DISPUTE_STATES: Mapping[str, DisputeStatus] = {
    "INQUIRY_EVIDENCE_REQUIRED": DisputeStatus.OPEN,
    "INQUIRY_PROCESSING": DisputeStatus.OPEN,
    # Over without money taken back.
    "INQUIRY_CLOSED": DisputeStatus.WON,
    "EVIDENCE_REQUIRED": DisputeStatus.OPEN,
    "PROCESSING": DisputeStatus.OPEN,
    "WON": DisputeStatus.WON,
    "LOST": DisputeStatus.LOST,
    "ACCEPTED": DisputeStatus.LOST,
}
ENDED_ORDERS = frozenset({"CANCELED", "COMPLETED"})


def retrieved(
    provider_session_id: str,
    order_id: str,
    order: payloads.Order,
    payments: Sequence[payloads.Payment],
    refunds: Sequence[payloads.Refund],
) -> ProviderSession:
    """Build what is known of a session from its order and payments."""
    return ProviderSession(
        provider_session_id=provider_session_id,
        # What of the charges was for shipping, only the answer to the create told.
        totals=None if order.service_charges else order_totals(order),
        payments=reports(order, payments, refunds),
        references=(f"order:{order_id}",),
    )


def reports(
    order: payloads.Order,
    payments: Sequence[payloads.Payment],
    refunds: Sequence[payloads.Refund] = (),
) -> tuple[PaymentReport, ...]:
    """Build what all payments of an order say; those that do not cover it are partial."""
    found = [payment_report(payment, refunds) for payment in payments]
    if is_covered(order, payments):
        return tuple(found)
    return tuple(
        msgspec.structs.replace(report, status=PaymentState.PARTIALLY_PAID)
        if report.status is PaymentState.PAID
        else report
        for report in found
    )


def is_covered(order: payloads.Order, payments: Iterable[payloads.Payment]) -> bool:
    """Tell whether the completed payments, tips aside, cover what the order asked for."""
    taken = [payment for payment in payments if payment.status == "COMPLETED"]
    due = _due(order)
    amounts = [payment.amount_money or payment.total_money for payment in taken]
    if due is None or any(amount is None for amount in amounts):
        return bool(taken)
    same = [amount.amount for amount in amounts if amount and amount.currency == due.currency]
    return bool(taken) and sum(same) >= due.amount


def payment_report(
    payment: payloads.Payment, refunds: Iterable[payloads.Refund] = ()
) -> PaymentReport:
    """Build what one payment says; only COMPLETED means that money was taken."""
    state = PAYMENT_STATES.get(payment.status, PaymentState.PROCESSING)
    return PaymentReport(
        payment_id=payment.id,
        status=state,
        amount=_paid(payment),
        tip=payment.tip_money.value if payment.tip_money and payment.tip_money.amount else None,
        payment_time=payment.created_at,
        error=_payment_error(payment, state),
        warnings=_status_warnings(payment.status),
        refunds={
            refund.id: refund.amount_money.value
            for refund in refunds
            if refund.payment_id == payment.id and refund.status == "COMPLETED"
        },
        collected=collected(payment),
    )


def dispute_state(state: str) -> DisputeStatus:
    """Map a dispute's state; an unknown one needs attention, so it is open."""
    return DISPUTE_STATES.get(state, DisputeStatus.OPEN)


def collected(payment: payloads.Payment) -> CollectedDetails | None:
    """Return what the buyer typed, as far as it can be read."""
    billing = lenient(payment.billing_address, payloads.Address)
    shipping = lenient(payment.shipping_address, payloads.Address)
    details = CollectedDetails(
        email=lenient(payment.buyer_email_address, str) or "",
        billing_address=_address(billing) if billing else None,
        shipping_address=_address(shipping) if shipping else None,
        customer_id=lenient(payment.customer_id, str) or "",
    )
    return None if details == CollectedDetails() else details


def order_totals(order: payloads.Order, shipping: Money | None = None) -> Totals | None:
    """Return what Square says an order comes to, tips aside; None where it says no total."""
    due = _due(order)
    if due is None:
        return None
    return Totals(
        source=TotalsSource.PROVIDER,
        subtotal=_subtotal(order, due.currency),
        discount=order.total_discount_money.value if order.total_discount_money else None,
        tax=order.total_tax_money.value if order.total_tax_money else None,
        shipping=shipping,
        total=due,
    )


def line_gross(line: payloads.OrderLine) -> Money | None:
    """Return a line's price before discounts and taxes, which older answers leave to be multiplied."""
    if line.gross_sales_money is not None:
        return line.gross_sales_money.value
    base = line.base_price_money
    if base is None:
        return None
    added = sum(
        modifier.total_price_money.amount
        for modifier in line.modifiers or ()
        if modifier.total_price_money
    )
    try:
        return Money(gross(base.amount, line.quantity) + added, base.currency)
    except (ValueError, ZeroDivisionError):
        return None


def _due(order: payloads.Order) -> Money | None:
    if order.total_money is None:
        return None
    tip = order.total_tip_money.amount if order.total_tip_money else 0
    return Money(max(order.total_money.amount - tip, 0), order.total_money.currency)


def _subtotal(order: payloads.Order, currency: str) -> Money | None:
    amounts = [line_gross(line) for line in order.line_items or ()]
    known = [amount.amount for amount in amounts if amount is not None]
    return Money(sum(known), currency) if known and len(known) == len(amounts) else None


def _paid(payment: payloads.Payment) -> Money | None:
    if payment.total_money is not None:
        return payment.total_money.value
    if payment.amount_money is None:
        return None
    tip = payment.tip_money.amount if payment.tip_money else 0
    return Money(payment.amount_money.amount + tip, payment.amount_money.currency)


def _status_warnings(status: str) -> tuple[SessionWarning, ...]:
    if status in PAYMENT_STATES:
        return ()
    message = f"payment status {readable(status, 64)!r} is unknown and taken as undecided"
    return (SessionWarning("UNKNOWN_PAYMENT_STATUS", message=message),)


def _payment_error(payment: payloads.Payment, state: PaymentState) -> PaymentError | None:
    card = lenient(payment.card_details, payloads.CardDetails)
    if state is PaymentState.PAID or card is None or not card.errors:
        return None
    error = card.errors[0]
    return PaymentError(
        code=readable(error.code, 64),
        message=readable(redacted(error.detail or "", _personal(payment))),
        provider_payment_id=payment.id,
    )


def _personal(payment: payloads.Payment) -> Iterable[str]:
    details = collected(payment) or CollectedDetails()
    yield details.email
    for address in (details.billing_address, details.shipping_address):
        if address is not None:
            yield from (address.line1, address.city, address.region, address.postal_code)
            yield from (address.first_name, address.last_name)


def _address(address: payloads.Address) -> Address:
    return Address(
        country=address.country or "",
        line1=address.address_line_1 or "",
        line2=address.address_line_2 or "",
        city=address.locality or "",
        region=address.administrative_district_level_1 or "",
        postal_code=address.postal_code or "",
        first_name=address.first_name or "",
        last_name=address.last_name or "",
    )
