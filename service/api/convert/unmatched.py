"""ListUnmatchedPayments' request to the model, and its page back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2, unmatched_payment_pb2
from service.api.convert.cart import money_to_proto
from service.api.convert.session import PAYMENT_STATES
from service.api.convert.times import moment_if_set, moment_to_proto
from service.core.unmatched import Kind, UnmatchedFilter

if TYPE_CHECKING:
    from service.core.unmatched import UnmatchedPage, UnmatchedPayment

_UnmatchedPayment = unmatched_payment_pb2.UnmatchedPayment
_KINDS = {kind: _UnmatchedPayment.Kind.Value(f"KIND_{kind.name}") for kind in Kind}


def unmatched_filter_from_proto(
    message: checkout_service_pb2.ListUnmatchedPaymentsRequest,
) -> UnmatchedFilter:
    """Return a listing's conditions. Raises InvalidRequest for a time that is none."""
    return UnmatchedFilter(
        provider=message.provider,
        account=message.account,
        received_from=moment_if_set(message, "receive_time_from"),
        received_to=moment_if_set(message, "receive_time_to"),
    )


def unmatched_to_proto(
    page: UnmatchedPage,
) -> checkout_service_pb2.ListUnmatchedPaymentsResponse:
    """Return the answer to ListUnmatchedPayments."""
    answer = checkout_service_pb2.ListUnmatchedPaymentsResponse(
        next_page_token=page.next_page_token
    )
    for payment in page.payments:
        _payment_to_proto(payment, answer.unmatched_payments.add())
    return answer


def _payment_to_proto(
    payment: UnmatchedPayment, message: unmatched_payment_pb2.UnmatchedPayment
) -> None:
    message.provider = payment.provider
    message.account = payment.account
    message.event_id = payment.event_id
    message.event_type = payment.event_type
    message.reduced = payment.reduced
    moment_to_proto(payment.received, message.receive_time)
    facts = payment.facts
    message.live = facts.live
    if facts.kind is not None:
        message.kind = _KINDS[facts.kind]
    message.provider_payment_id = facts.payment_id
    if facts.status is not None:
        message.payment_status = PAYMENT_STATES[facts.status]
    if facts.amount is not None:
        money_to_proto(facts.amount, message.amount)
    if facts.payment_time is not None:
        moment_to_proto(facts.payment_time, message.payment_time)
    message.provider_refund_id = facts.refund_id
    message.provider_dispute_id = facts.dispute_id
    message.provider_subscription_id = facts.subscription_id
    message.session_id = facts.session_id
    message.references.extend(facts.references)
