"""What is known of a session's payments, refunds and disputes, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core.model import (
    AmountBasis,
    AmountCheck,
    CollectedDetails,
    Dispute,
    DisputeStatus,
    Money,
    Payment,
    PaymentError,
    PaymentState,
    PaymentStatus,
    Refund,
    TimeSource,
    TotalsSource,
)
from service.core.ports import DisputeReport, RefundReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from service.core.model import Session, SessionWarning
    from service.core.ports import PaymentReport

# A provider's events come in any order: a payment never goes back to an earlier word about it.
_RANK = {
    PaymentState.PROCESSING: 0,
    PaymentState.PARTIALLY_PAID: 1,
    PaymentState.CANCELLED: 2,
    PaymentState.FAILED: 2,
    PaymentState.PAID: 3,
}


def status(session: Session) -> PaymentStatus:
    """Return how far paying has come."""
    states = {payment.status for payment in session.payments}
    if PaymentState.PAID in states:
        return PaymentStatus.PAID
    if session.authorised:
        return PaymentStatus.NO_PAYMENT_REQUIRED
    if PaymentState.PARTIALLY_PAID in states:
        return PaymentStatus.PARTIALLY_PAID
    if PaymentState.PROCESSING in states:
        return PaymentStatus.PROCESSING
    return PaymentStatus.UNPAID


def find(session: Session, payment_id: str) -> Payment | None:
    """Return a payment of the session by the provider's id."""
    return next((p for p in session.payments if p.provider_payment_id == payment_id), None)


def replaced(session: Session, payment: Payment) -> Session:
    """Return the session with its payment of the same id exchanged, or the payment added."""
    if find(session, payment.provider_payment_id) is None:
        return structs.replace(session, payments=(*session.payments, payment))
    exchanged = tuple(
        payment if p.provider_payment_id == payment.provider_payment_id else p
        for p in session.payments
    )
    return structs.replace(session, payments=exchanged)


def recorded(session: Session, report: PaymentReport, now: datetime) -> Session:
    """Return the session with everything a report says, its state untouched."""
    known = find(session, report.payment_id)
    if known is None or _RANK[report.status] > _RANK[known.status] or _has_grown(known, report):
        session = replaced(session, _begun(_payment(session, report, now), known))
        session = structs.replace(session, last_payment_error=_error(session, report))
    elif report.status is PaymentState.PROCESSING and report.payment_time is not None:
        session = _redated(session, known, _begun(known, _payment(session, report, now)))
    session = structs.replace(
        session,
        provider_subscription_id=session.provider_subscription_id or report.subscription_id,
        collected=merge(session.collected, report.collected),
        provider_details={**session.provider_details, **report.details},
        totals=report.totals or session.totals,
        warnings=added(session.warnings, report.warnings),
    )
    for refund_id, amount in report.refunds.items():
        refund = RefundReport(payment_id=report.payment_id, refund_id=refund_id, amount=amount)
        session = refunded(session, refund)
    for dispute_id, word in report.disputes.items():
        dispute = DisputeReport(payment_id=report.payment_id, dispute_id=dispute_id, status=word)
        session = disputed(session, dispute, now)
    return structs.replace(session, payment_status=status(session))


def _begun(payment: Payment, other: Payment | None) -> Payment:
    """Return a paid payment as made when the buyer committed, which is when it was first being processed."""
    if other is None or PaymentState.PROCESSING is not other.status:
        return payment
    if payment.status is not PaymentState.PAID or other.payment_time >= payment.payment_time:
        return payment
    return structs.replace(payment, payment_time=other.payment_time, time_source=other.time_source)


def _redated(session: Session, known: Payment, payment: Payment) -> Session:
    is_completing = session.complete_time == known.payment_time
    complete_time = payment.payment_time if is_completing else session.complete_time
    return structs.replace(replaced(session, payment), complete_time=complete_time)


def _has_grown(known: Payment, report: PaymentReport) -> bool:
    """Tell whether more of the same payment has come in; reports in any order never take any away."""
    if report.status is not known.status or known.status is not PaymentState.PARTIALLY_PAID:
        return False
    if known.amount is None or report.amount is None:
        return report.amount is not None
    is_same = report.amount.currency == known.amount.currency
    return is_same and report.amount.amount > known.amount.amount


def refunded(session: Session, report: RefundReport) -> Session:
    """Return the session with a refund recorded once."""
    if report.amount is None and report.refund_id in session.refunds:
        return session
    refund = Refund(payment_id=report.payment_id, amount=report.amount)
    return structs.replace(session, refunds={**session.refunds, report.refund_id: refund})


def disputed(session: Session, report: DisputeReport, now: datetime) -> Session:
    """Return the session with a dispute recorded; a decided dispute does not open again."""
    known = session.disputes.get(report.dispute_id)
    if known is not None and (known.status is report.status or report.status is DisputeStatus.OPEN):
        return session
    dispute = Dispute(status=report.status, at=now)
    return structs.replace(session, disputes={**session.disputes, report.dispute_id: dispute})


def dispute_status(session: Session) -> DisputeStatus:
    """Return where disputes stand; an open one outweighs a lost one, a lost one a won one."""
    words = {dispute.status for dispute in session.disputes.values()}
    for word in (DisputeStatus.OPEN, DisputeStatus.LOST, DisputeStatus.WON):
        if word in words:
            return word
    return DisputeStatus.NONE


def amount_paid(session: Session) -> Money | None:
    """Return the sum of paid payments; None while nothing is paid or currencies differ."""
    taken = (PaymentState.PAID, PaymentState.PARTIALLY_PAID)
    return _sum(p.amount for p in session.payments if p.status in taken and p.amount)


def amount_refunded(session: Session) -> Money | None:
    """Return the sum of refunds, under the same rule."""
    return _sum(
        amount for refund in session.refunds.values() if (amount := _returned(session, refund))
    )


def payment_refunded(session: Session, payment: Payment) -> Money | None:
    """Return what was returned from one payment."""
    of = payment.provider_payment_id
    refunds = [refund for refund in session.refunds.values() if refund.payment_id == of]
    return _sum(amount for refund in refunds if (amount := _returned(session, refund)))


def merge(known: CollectedDetails | None, new: CollectedDetails | None) -> CollectedDetails | None:
    """Return what the buyer typed, a newer word replacing an older one field by field."""
    if known is None or new is None:
        return known or new
    said = {name: getattr(new, name) for name in new.__struct_fields__ if getattr(new, name)}
    return structs.replace(known, **said)


def added(
    known: tuple[SessionWarning, ...], new: Iterable[SessionWarning]
) -> tuple[SessionWarning, ...]:
    """Return warnings with new ones added, each once."""
    return known + tuple(warning for warning in new if warning not in known)


def check_amount(session: Session, amount: Money | None) -> AmountCheck:
    """Compare a paid amount with what was due."""
    due = session.totals.total
    exact = session.totals.source in (TotalsSource.PROVIDER, TotalsSource.COMPUTED)
    if amount is None or due is None or not exact or session.amount_basis is AmountBasis.NONE:
        return AmountCheck.NOT_COMPARABLE
    if amount.currency != due.currency:
        return AmountCheck.OTHER_CURRENCY
    if amount.amount == due.amount:
        return AmountCheck.MATCHED
    return AmountCheck.ABOVE if amount.amount > due.amount else AmountCheck.BELOW


def _payment(session: Session, report: PaymentReport, now: datetime) -> Payment:
    taken = report.status in (PaymentState.PAID, PaymentState.PARTIALLY_PAID)
    return Payment(
        provider_payment_id=report.payment_id,
        status=report.status,
        amount=report.amount,
        tip=report.tip,
        payment_time=report.payment_time or now,
        time_source=TimeSource.PROVIDER if report.payment_time else TimeSource.RECEIPT,
        amount_check=check_amount(session, report.amount) if taken else None,
    )


def _error(session: Session, report: PaymentReport) -> PaymentError | None:
    # The decline of an attempt may be told after the payment that followed it.
    if status(session) is PaymentStatus.PAID:
        return None
    if report.error is None and report.status is PaymentState.FAILED:
        return PaymentError(provider_payment_id=report.payment_id)
    return report.error or session.last_payment_error


def _returned(session: Session, refund: Refund) -> Money | None:
    payment = find(session, refund.payment_id)
    if refund.amount is not None or payment is None or payment.amount is None:
        return refund.amount
    parts = [r.amount for r in session.refunds.values() if r.payment_id == refund.payment_id]
    rest = payment.amount.amount - sum(part.amount for part in parts if part)
    return Money(max(rest, 0), payment.amount.currency)


def _sum(amounts: Iterable[Money]) -> Money | None:
    found = list(amounts)
    if not found or len({money.currency for money in found}) > 1:
        return None
    return Money(sum(money.amount for money in found), found[0].currency)
