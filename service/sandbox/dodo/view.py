"""What the hosted page and the sandbox service show of a Dodo session."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from service.sandbox.dodo.pricing import PricedCart, PricedLine
from service.sandbox.dodo.records import Payment, Session
from service.sandbox.dodo.request import CheckoutRequest
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


def snapshot(
    session: Session, *, provider: str, state: SessionState, checkout_url: str
) -> EmulatedSession:
    """Describe a session without its buyer."""
    last = session.last_payment
    cart = last.cart if last else session.cart
    return EmulatedSession(
        provider=provider,
        provider_session_id=session.session_id,
        session_id=session.reference,
        state=state,
        checkout_url=checkout_url,
        amount=cart.total,
        currency=cart.currency,
        payments=tuple(_payment(payment) for payment in session.payments),
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
    """Describe the page of a session."""
    request, last = session.request, session.last_payment
    theme = request.customization.theme_config
    return CheckoutView(
        title=TITLE,
        session=snapshot,
        lines=tuple(_lines(request, cart)),
        totals=_totals(cart),
        fields=fields,
        theme=request.customization.theme or "system",
        language=request.customization.force_language or "",
        pay_label=(theme and theme.pay_button_text) or "",
        is_order_open=request.customization.show_order_details,
        takes_codes=takes_codes(request),
        code=code,
        cancel_url=request.cancel_url or "",
        leave_url=_leave_url(request.return_url, last) if request.return_url and last else "",
        is_leaving_at_once=request.feature_flags.redirect_immediately,
        has_declined=last is not None and last.status == "failed",
        problems=problems,
    )


def takes_codes(request: CheckoutRequest) -> bool:
    """Tell whether the buyer may enter a discount code."""
    data = request.subscription_data
    is_on_demand = data is not None and data.on_demand is not None
    return request.feature_flags.allow_discount_code and not is_on_demand


def _payment(payment: Payment) -> EmulatedPayment:
    return EmulatedPayment(
        payment_id=payment.payment_id,
        status=payment.status,
        amount=payment.cart.total,
        currency=payment.cart.currency,
        create_time=payment.created_at,
    )


def _lines(request: CheckoutRequest, cart: PricedCart) -> Iterator[CartLine]:
    data = request.subscription_data
    on_demand = data.on_demand if data else None
    for line in cart.lines:
        override = on_demand.product_description if on_demand else None
        yield _line(line, override or line.product.description)
        for addon, quantity in line.addons:
            yield CartLine(
                name=addon.name,
                description="",
                quantity=quantity,
                amount=addon.price * quantity,
                interval="month",
                is_addon=True,
            )


def _line(line: PricedLine, description: str) -> CartLine:
    addons = sum(addon.price * quantity for addon, quantity in line.addons)
    amount = line.recurring - addons if line.product.is_recurring else line.subtotal
    return CartLine(
        name=line.product.name,
        description=description,
        quantity=line.quantity,
        amount=amount,
        interval="month" if line.product.is_recurring else "",
    )


def _totals(cart: PricedCart) -> Totals:
    return Totals(
        currency=cart.currency,
        subtotal=cart.subtotal,
        discount=cart.discount,
        tax=cart.tax,
        total=cart.total,
        is_tax_included=all(line.product.is_tax_inclusive for line in cart.lines if line.tax),
    )


def _leave_url(return_url: str, payment: Payment) -> str:
    subscription = next(iter(payment.subscriptions), None)
    if subscription is not None:
        outcome = {"subscription_id": subscription.subscription_id, "status": "active"}
    else:
        outcome = {"payment_id": payment.payment_id, "status": payment.status}
    query = urlencode(outcome | {"email": payment.buyer.email})
    parts = urlsplit(return_url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
