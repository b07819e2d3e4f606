"""What the hosted page and the sandbox service show of a FastSpring session."""

from collections.abc import Mapping

from service.sandbox.emulator import (
    CartLine,
    CheckoutView,
    EmulatedPayment,
    EmulatedSession,
    Field,
    SessionState,
    Totals,
)
from service.sandbox.fastspring.enums import PLAN
from service.sandbox.fastspring.pricing import PricedCart, PricedLine
from service.sandbox.fastspring.records import FAILED, Session

TITLE = "Demo Store"


def snapshot(
    session: Session, *, provider: str, state: SessionState, checkout_url: str
) -> EmulatedSession:
    """Describe a session without its buyer."""
    cart = session.order.cart if session.order else session.cart
    return EmulatedSession(
        provider=provider,
        provider_session_id=session.session_id,
        session_id=session.reference,
        state=state,
        checkout_url=checkout_url,
        amount=cart.total,
        currency=cart.currency,
        payments=tuple(
            EmulatedPayment(
                payment_id=order.payment_id,
                status=order.status,
                amount=order.cart.total,
                currency=order.cart.currency,
                create_time=order.changed,
            )
            for order in session.payments
        ),
        create_time=session.created_at,
        expire_time=session.expires_at,
        deliveries=tuple(session.deliveries),
    )


def checkout_view(
    session: Session,
    *,
    snapshot: EmulatedSession,
    cart: PricedCart,
    fields: tuple[Field, ...],
    code: str,
    problems: Mapping[str, str],
) -> CheckoutView:
    """Describe the page of a session; where a buyer goes afterwards is set in the store."""
    last = session.payments[-1] if session.payments else None
    return CheckoutView(
        title=TITLE,
        session=snapshot,
        lines=tuple(_line(line) for line in cart.lines),
        totals=Totals(
            currency=cart.currency,
            subtotal=cart.list_total,
            discount=cart.product_discount + cart.coupon_discount,
            tax=cart.tax,
            total=cart.total,
            is_tax_included=cart.is_tax_in_price,
        ),
        fields=fields,
        language=session.body.get("locale", ""),
        takes_codes=True,
        has_choices=True,
        code=code,
        has_declined=last is not None and last.status == FAILED,
        problems=problems,
    )


def _line(line: PricedLine) -> CartLine:
    summaries = line.source.get("descriptions", {}).get("summary", {})
    names = line.source.get("descriptions", {}).get("display", {})
    return CartLine(
        name=next(iter(names.values()), line.product.name),
        description=next(iter(summaries.values()), ""),
        quantity=line.quantity,
        amount=line.list_total,
        interval="month" if line.product.kind == PLAN else "",
    )
