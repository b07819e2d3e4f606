"""What the hosted page and the sandbox service show of an invoice."""

from collections.abc import Iterator, Mapping

from service.sandbox.emulator import (
    CartLine,
    CheckoutView,
    EmulatedPayment,
    EmulatedSession,
    Field,
    SessionState,
    Totals,
)
from service.sandbox.sellapp.records import Invoice

TITLE = "Demo Store"


def snapshot(
    invoice: Invoice, *, provider: str, state: SessionState, checkout_url: str
) -> EmulatedSession:
    """Describe an invoice without its buyer."""
    return EmulatedSession(
        provider=provider,
        provider_session_id=invoice.session_id,
        session_id=invoice.reference,
        state=state,
        checkout_url=checkout_url,
        amount=invoice.priced.due,
        currency=invoice.priced.currency,
        payments=tuple(
            EmulatedPayment(
                payment_id=attempt.payment_id,
                status=attempt.status,
                amount=attempt.amount,
                currency=invoice.priced.currency,
                create_time=attempt.created_at,
            )
            for attempt in invoice.payments
        ),
        create_time=invoice.created_at,
        expire_time=invoice.expires_at,
        deliveries=tuple(invoice.deliveries),
    )


def checkout_view(
    invoice: Invoice,
    *,
    snapshot: EmulatedSession,
    fields: tuple[Field, ...],
    problems: Mapping[str, str],
) -> CheckoutView:
    """Describe the processor's page; no invoice says where a buyer goes after it."""
    last = invoice.payments[-1] if invoice.payments else None
    return CheckoutView(
        title=TITLE,
        session=snapshot,
        lines=tuple(_lines(invoice)),
        totals=_totals(invoice),
        fields=fields,
        has_declined=last is not None and last.status == "DECLINED",
        problems=problems,
    )


def _lines(invoice: Invoice) -> Iterator[CartLine]:
    for line in invoice.lines:
        yield CartLine(
            name=line.variant.title,
            description="",
            quantity=line.quantity,
            amount=line.amount,
            interval="month" if line.variant.is_plan else "",
        )


def _totals(invoice: Invoice) -> Totals:
    priced = invoice.priced
    return Totals(
        currency=priced.currency,
        subtotal=priced.original,
        discount=priced.original - priced.subtotal,
        fees=0 if invoice.is_trial else priced.full - priced.subtotal,
        tax=priced.due - priced.full,
        total=priced.due,
    )
