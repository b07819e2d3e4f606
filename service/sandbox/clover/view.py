"""What the hosted page and the sandbox service show of a checkout."""

from collections.abc import Mapping

from service.sandbox.clover.catalogue import CURRENCY
from service.sandbox.clover.records import Session
from service.sandbox.emulator import (
    CartLine,
    CheckoutView,
    EmulatedPayment,
    EmulatedSession,
    Field,
    SessionState,
    Totals,
)

TITLE = "Demo Store"
ERROR_CODE = "CARD_DECLINED"


def snapshot(
    session: Session, *, provider: str, state: SessionState, checkout_url: str
) -> EmulatedSession:
    """Describe a checkout without its buyer."""
    paid = session.paid
    return EmulatedSession(
        provider=provider,
        provider_session_id=session.session_id,
        session_id=session.reference,
        state=state,
        checkout_url=checkout_url,
        amount=paid.amount if paid else session.cart.total,
        currency=CURRENCY,
        payments=tuple(
            EmulatedPayment(
                payment_id=payment.payment_id,
                status=payment.status,
                amount=payment.amount,
                currency=CURRENCY,
                create_time=payment.created_at,
            )
            for payment in session.payments
        ),
        create_time=session.created_at,
        expire_time=session.expires_at,
        deliveries=tuple(session.deliveries),
    )


def checkout_view(
    session: Session,
    *,
    snapshot: EmulatedSession,
    tip: int,
    fields: tuple[Field, ...],
    problems: Mapping[str, str],
) -> CheckoutView:
    """Describe the page of a checkout."""
    cart, paid = session.cart, session.paid
    tip = paid.amount - cart.total if paid else tip
    return CheckoutView(
        title=TITLE,
        session=snapshot,
        lines=tuple(
            CartLine(
                name=line.name, description=line.note, quantity=line.quantity, amount=line.amount
            )
            for line in cart.lines
        ),
        totals=Totals(
            currency=CURRENCY,
            subtotal=cart.subtotal,
            discount=0,
            tax=cart.tax,
            tip=tip,
            total=cart.total + tip,
        ),
        fields=fields,
        has_choices=any(field.group == "order" for field in fields),
        cancel_url=session.request.redirect_urls.cancel or "",
        leave_url=leave_url(session),
        has_declined=bool(session.payments) and paid is None,
        problems=problems,
    )


def leave_url(session: Session) -> str:
    """Return where the newest attempt leads, with Clover's placeholders filled; nothing proves it."""
    urls = session.request.redirect_urls
    if session.paid:
        return (urls.success or "").replace("{CHECKOUT_SESSION_ID}", session.session_id)
    return (urls.failure or "").replace("{ERROR_CODE}", ERROR_CODE) if session.payments else ""
