"""What the hosted page and the sandbox service show of a Square session."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from service.sandbox.emulator import (
    CartLine,
    CheckoutView,
    EmulatedPayment,
    EmulatedSession,
    Field,
    SessionState,
    Totals,
)
from service.sandbox.square.records import FAILED, Session

TITLE = "Demo Store"


def snapshot(
    session: Session, *, provider: str, state: SessionState, checkout_url: str
) -> EmulatedSession:
    """Describe a session without its buyer."""
    return EmulatedSession(
        provider=provider,
        provider_session_id=session.session_id,
        session_id=session.reference,
        state=state,
        checkout_url=checkout_url,
        amount=session.order.total,
        currency=session.order.currency,
        payments=tuple(
            EmulatedPayment(
                payment_id=payment.payment_id,
                status=payment.status,
                amount=payment.total,
                currency=session.order.currency,
                create_time=payment.created_at,
            )
            for payment in session.payments
        ),
        create_time=session.created_at,
        expire_time=session.ends_at,
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
    """Describe the page of a session; Square takes no address for buyers who give up."""
    last = session.payments[-1] if session.payments else None
    is_paid = snapshot.state is SessionState.PAID
    return CheckoutView(
        title=TITLE,
        session=snapshot,
        lines=tuple(_lines(session)),
        totals=_totals(session, session.order.tip if is_paid else tip),
        fields=fields,
        has_choices=any(field.group == "order" for field in fields),
        leave_url=leave_url(session) if is_paid else "",
        has_declined=last is not None and last.status == FAILED,
        problems=problems,
    )


def leave_url(session: Session) -> str:
    """Return where a buyer goes after paying, with what Square adds to it; nothing proves it."""
    target = session.options.get("redirect_url")
    if not target:
        return ""
    order = session.order
    outcome = {"transactionId": order.order_id, "orderId": order.order_id}
    if not session.is_link:
        outcome = {"checkoutId": session.session_id, **outcome}
        if "reference_id" in order.draft:
            outcome["referenceId"] = order.draft["reference_id"]
    parts = urlsplit(target)
    query = urlencode(outcome)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


def _lines(session: Session) -> Iterator[CartLine]:
    for line in session.order.priced.lines:
        source = line.source
        quantity = source["quantity"]
        details = [source.get("variation_name", ""), source.get("note", "")]
        details += [modifier.get("name", "") for modifier in source["modifiers"]]
        if not quantity.isdecimal():
            details.insert(0, f"\N{MULTIPLICATION SIGN} {quantity}")
        yield CartLine(
            name=source.get("name", "") or TITLE,
            description=" · ".join(detail for detail in details if detail),
            quantity=int(quantity) if quantity.isdecimal() else 1,
            amount=line.applied,
        )


def _totals(session: Session, tip: int) -> Totals:
    priced = session.order.priced
    return Totals(
        currency=session.order.currency,
        subtotal=priced.subtotal,
        discount=priced.discount,
        fees=priced.service_charge,
        tax=priced.tax,
        tip=tip,
        total=priced.total + tip,
        is_tax_included=not priced.added_tax,
    )
