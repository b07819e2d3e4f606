"""Sessions from the model to the contract, read at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import session_pb2
from service.api.convert.cart import cart_to_proto, money_to_proto
from service.api.convert.customer import collected_to_proto, customer_to_proto
from service.api.convert.details import details_to_proto
from service.api.convert.provider import ENFORCEMENTS
from service.api.convert.times import moment_to_proto
from service.core import payments
from service.core.model import (
    AmountCheck,
    DisputeStatus,
    PaymentState,
    PaymentStatus,
    ProviderLink,
    State,
    TimeSource,
    TotalsSource,
)
from service.core.page import checkout_url, provider_link

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.gate import GateLinks
    from service.core.model import Failure, Payment, PaymentError, Session, Totals

_Session = session_pb2.Session
_Payment = session_pb2.Payment

STATES = {state: _Session.State.Value(f"STATE_{state.name}") for state in State}
PAYMENT_STATUSES = {
    status: _Session.PaymentStatus.Value(f"PAYMENT_STATUS_{status.name}")
    for status in PaymentStatus
}
_LINKS = {link: _Session.ProviderLink.Value(f"PROVIDER_LINK_{link.name}") for link in ProviderLink}
_DISPUTES = {
    DisputeStatus.NONE: _Session.DISPUTE_STATUS_UNSPECIFIED,
    DisputeStatus.OPEN: _Session.DISPUTE_STATUS_OPEN,
    DisputeStatus.WON: _Session.DISPUTE_STATUS_WON,
    DisputeStatus.LOST: _Session.DISPUTE_STATUS_LOST,
}
_SOURCES = {
    source: session_pb2.Totals.Source.Value(f"SOURCE_{source.name}") for source in TotalsSource
}
PAYMENT_STATES = {state: _Payment.Status.Value(f"STATUS_{state.name}") for state in PaymentState}
_TIME_SOURCES = {
    source: _Payment.TimeSource.Value(f"TIME_SOURCE_{source.name}") for source in TimeSource
}
_CHECKS = {check: _Payment.AmountCheck.Value(f"AMOUNT_CHECK_{check.name}") for check in AmountCheck}


def session_to_proto(
    session: Session,
    now: datetime,
    links: GateLinks | None,
    message: session_pb2.Session,
    *,
    include_provider_url: bool = False,
) -> None:
    """Write a session, as it reads at `now`, into a message that is part of another.

    `links` make the address for the customer; None where customers are sent to the provider at once. With them the
    provider's address is left out unless it is to be included.
    """
    _identity_to_proto(session, now, message)
    if session.session_id:
        page = checkout_url(session)
        message.checkout_url = links.address(session) if links else page
        message.provider_url = page if include_provider_url or not links else ""
    _times_to_proto(session, message)
    cart_to_proto(session.cart, message.cart)
    totals_to_proto(session.totals, message.totals)
    if session.customer is not None:
        customer_to_proto(session.customer, message.customer)
    if session.collected is not None:
        collected_to_proto(session.collected, message.collected)
    if session.payments or session.refunds or session.disputes:
        _money_to_proto(session, message)
    for warning in session.warnings:
        message.warnings.add(code=warning.code, field=warning.field, message=warning.message)
    if session.last_payment_error is not None:
        _payment_error_to_proto(session.last_payment_error, message.last_payment_error)
    if session.failure is not None:
        _failure_to_proto(session.failure, message.failure)
    if session.provider_details:
        details_to_proto(
            {session.provider: session.provider_details},
            message.provider_details,
            with_pages=bool(message.provider_url),
        )


def _identity_to_proto(session: Session, now: datetime, message: session_pb2.Session) -> None:
    if session.session_id:
        message.session_id = session.session_id
        message.state = STATES[session.state]
        message.payment_status = PAYMENT_STATUSES[session.payment_status]
        link = provider_link(session, now)
        if link is not None:
            message.provider_link = _LINKS[link]
        message.version = session.version
    message.provider = session.provider
    message.account = session.account
    message.live = session.live
    message.provider_session_id = session.provider_session_id
    message.expiry_enforcement = ENFORCEMENTS[session.expiry_enforcement]
    if session.provider_subscription_id:
        message.provider_subscription_id = session.provider_subscription_id
    for key, value in session.metadata.items():
        message.metadata[key] = value
    if session.reference_id:
        message.reference_id = session.reference_id


def _times_to_proto(session: Session, message: session_pb2.Session) -> None:
    if session.session_id:
        moment_to_proto(session.create_time, message.create_time)
        moment_to_proto(session.update_time, message.update_time)
    moment_to_proto(session.expire_time, message.expire_time)
    if session.payable_until is not None:
        moment_to_proto(session.payable_until, message.payable_until)
    if session.end_time is not None and session.state is not State.COMPLETED:
        moment_to_proto(session.end_time, message.end_time)
    if session.complete_time is not None:
        moment_to_proto(session.complete_time, message.complete_time)
    if session.reconciled_time is not None:
        moment_to_proto(session.reconciled_time, message.reconciled_time)


def totals_to_proto(totals: Totals, message: session_pb2.Totals) -> None:
    """Write amounts due into a message that is part of another."""
    message.source = _SOURCES[totals.source]
    if totals.subtotal is not None:
        money_to_proto(totals.subtotal, message.subtotal)
    if totals.discount is not None:
        money_to_proto(totals.discount, message.discount)
    if totals.tax is not None:
        money_to_proto(totals.tax, message.tax)
    if totals.shipping is not None:
        money_to_proto(totals.shipping, message.shipping)
    if totals.total is not None:
        money_to_proto(totals.total, message.total)


def _money_to_proto(session: Session, message: session_pb2.Session) -> None:
    for payment in session.payments:
        _payment_to_proto(session, payment, message.payments.add())
    if (paid := payments.amount_paid(session)) is not None:
        money_to_proto(paid, message.amount_paid)
    if (refunded := payments.amount_refunded(session)) is not None:
        money_to_proto(refunded, message.amount_refunded)
    message.dispute_status = _DISPUTES[payments.dispute_status(session)]


def _payment_to_proto(session: Session, payment: Payment, message: session_pb2.Payment) -> None:
    message.provider_payment_id = payment.provider_payment_id
    message.status = PAYMENT_STATES[payment.status]
    message.time_source = _TIME_SOURCES[payment.time_source]
    message.late = payment.late
    moment_to_proto(payment.payment_time, message.payment_time)
    if payment.amount_check is not None:
        message.amount_check = _CHECKS[payment.amount_check]
    if payment.amount is not None:
        money_to_proto(payment.amount, message.amount)
    if payment.tip is not None:
        money_to_proto(payment.tip, message.tip)
    if (refunded := payments.payment_refunded(session, payment)) is not None:
        money_to_proto(refunded, message.refunded_amount)


def _payment_error_to_proto(error: PaymentError, message: session_pb2.PaymentError) -> None:
    message.SetInParent()
    message.code = error.code
    message.message = error.message
    message.provider_payment_id = error.provider_payment_id


def _failure_to_proto(failure: Failure, message: session_pb2.Failure) -> None:
    message.reason = failure.reason
    message.provider_code = failure.provider_code
