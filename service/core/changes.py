"""Names for what a change of a session means; the words of logs and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.model import AmountCheck, PaymentState, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.core.model import Payment, Session

_BY_STATE = {
    State.OPEN: "session.opened",
    State.COMPLETED: "session.completed",
    State.EXPIRED: "session.expired",
    State.FAILED: "session.failed",
    State.UNRESOLVED: "session.left_unresolved",
}
_SUSPICIOUS = (AmountCheck.BELOW, AmountCheck.OTHER_CURRENCY)


def changes(before: Session | None, after: Session) -> list[str]:
    """Return the names of what happened between two versions of a session."""
    if before is None:
        return ["session.created"]
    found = list(_payments(before, after))
    if before.state is not after.state and after.state in _BY_STATE:
        found.append(_BY_STATE[after.state])
    if before.refunds != after.refunds:
        found.append("payment.refunded")
    if before.disputes != after.disputes:
        found.append("payment.disputed")
    return found


def _payments(before: Session, after: Session) -> Iterator[str]:
    known = {p.provider_payment_id: p for p in before.payments}
    paid = sum(p.status is PaymentState.PAID for p in before.payments)
    for payment in after.payments:
        if payment == known.get(payment.provider_payment_id):
            continue
        yield f"payment.{payment.status.value.lower()}"
        if payment.status is PaymentState.PAID:
            yield from _alarms(payment, paid)
            paid += 1


def _alarms(payment: Payment, paid_before: int) -> Iterator[str]:
    if payment.late:
        yield "payment.late"
    if paid_before:
        yield "payment.second"
    if payment.amount_check in _SUSPICIOUS:
        yield "payment.amount_mismatch"
