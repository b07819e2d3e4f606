"""What an order of FastSpring says of a payment, who paid and which subscription it started."""

from collections.abc import Iterable

from service.core.model import (
    Address,
    CollectedDetails,
    Money,
    PaymentError,
    PaymentState,
    SessionWarning,
    Totals,
    TotalsSource,
)
from service.core.ports import PaymentReport
from service.providers.answers import lenient
from service.providers.fastspring import payloads
from service.providers.fastspring.amounts import Figures
from service.providers.fastspring.reading import each, id_of, moment, number, text
from service.providers.text import readable, redacted

ORDER_STATES = {
    "order.completed": PaymentState.PAID,
    "order.failed": PaymentState.FAILED,
    "order.canceled": PaymentState.CANCELLED,
    "order.payment.pending": PaymentState.PROCESSING,
    "order.approval.pending": PaymentState.PROCESSING,
}


def order_id(order: payloads.Order) -> str:
    """Return the id of an order, which is the payment's too."""
    return order.id or order.order or ""


def subscription_id(order: payloads.Order) -> str:
    """Return the first subscription that an order started."""
    ids = (id_of(item.subscription) for item in each(order.items, payloads.Item))
    return next(filter(None, ids), "")


def is_free(order: payloads.Order) -> bool:
    """Tell whether nothing was due: a trial, or goods for nothing."""
    return number(order.total) == 0


def payment_report(
    order: payloads.Order, event_type: str, *, live: bool | None = None
) -> PaymentReport:
    """Build what an order's event says of its payment."""
    state = ORDER_STATES[event_type]
    figures = Figures(order.currency)
    amount = figures.money("total", number(order.total))
    return PaymentReport(
        payment_id=order_id(order),
        status=state,
        amount=amount,
        # `completed` is a flag in every known event; a time there would be the buyer's own.
        payment_time=moment(order.completed) or moment(order.changed),
        error=_error(order, event_type, state),
        totals=_totals(order, figures, amount) if state is PaymentState.PAID else None,
        subscription_id=subscription_id(order),
        collected=collected(order),
        warnings=inexact_warnings(figures),
        live=live,
    )


def inexact_warnings(figures: Figures) -> tuple[SessionWarning, ...]:
    """Name the amounts that were left out, because nothing is ever rounded."""
    if not figures.inexact:
        return ()
    currency = readable(figures.currency, 16) or "no currency"
    message = f"left out, as they are no amounts of {currency}: {', '.join(figures.inexact)}"
    return (SessionWarning("AMOUNT_NOT_EXACT", message=message),)


def collected(order: payloads.Order) -> CollectedDetails | None:
    """Return what the buyer typed, as far as it can be read."""
    contact = lenient(order.customer, payloads.Contact) or payloads.Contact()
    address = lenient(order.address, payloads.OrderAddress)
    details = CollectedDetails(
        email=contact.email or "",
        name=" ".join(filter(None, (contact.first, contact.last))),
        phone_number=contact.phone or "",
        billing_address=_address(address) if address else None,
        customer_id=id_of(order.account),
    )
    return None if details == CollectedDetails() else details


def _address(address: payloads.OrderAddress) -> Address:
    return Address(
        country=address.country or "",
        line1=address.address_line1 or "",
        line2=address.address_line2 or "",
        city=address.city or "",
        region=address.region_code or address.region or "",
        postal_code=address.postal_code or "",
    )


def _totals(order: payloads.Order, figures: Figures, total: Money | None) -> Totals | None:
    if total is None:
        return None
    return Totals(
        source=TotalsSource.PROVIDER,
        discount=figures.money("discount", number(order.discount)),
        tax=figures.money("tax", number(order.tax)),
        total=total,
    )


def _error(order: payloads.Order, event_type: str, state: PaymentState) -> PaymentError | None:
    if state not in (PaymentState.FAILED, PaymentState.CANCELLED):
        return None
    reason = readable(redacted(text(order.reason), _personal(order)))
    return PaymentError(code=event_type, message=reason, provider_payment_id=order_id(order))


def _personal(order: payloads.Order) -> Iterable[str]:
    details = collected(order) or CollectedDetails()
    yield from (details.email, details.name, *details.name.split(), details.phone_number)
    address = details.billing_address or Address()
    yield from (address.line1, address.line2, address.city, address.postal_code)
