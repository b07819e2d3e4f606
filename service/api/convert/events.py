"""A session's timeline on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2
from checkout.v1.session_event_pb2 import SessionEvent
from service.api.convert.session import PAYMENT_STATUSES, STATES
from service.api.convert.times import moment_to_proto, span_to_proto
from service.api.convert.watch import types_to_proto
from service.core.events import Called, Cause, Changed, Received, Taking

if TYPE_CHECKING:
    from service.core.history import EventPage

_CAUSES = {cause: SessionEvent.Change.Cause.Value(f"CAUSE_{cause.name}") for cause in Cause}
_OUTCOMES = {
    taking: SessionEvent.Webhook.Outcome.Value(f"OUTCOME_{taking.name}") for taking in Taking
}


def events_to_proto(page: EventPage) -> checkout_service_pb2.ListSessionEventsResponse:
    """Return the answer to ListSessionEvents."""
    answer = checkout_service_pb2.ListSessionEventsResponse(next_page_token=page.next_page_token)
    for event in page.events:
        message = answer.session_events.add(version=event.version)
        moment_to_proto(event.fact.time, message.event_time)
        match event.fact:
            case Changed():
                _change_to_proto(event.fact, message.change)
            case Called():
                _call_to_proto(event.fact, message.provider_call)
            case Received():
                _webhook_to_proto(event.fact, message.webhook)
    return answer


def _change_to_proto(fact: Changed, message: SessionEvent.Change) -> None:
    message.cause = _CAUSES[fact.cause]
    if fact.types:
        message.types.extend(types_to_proto(fact.types))
    message.state = STATES[fact.state]
    message.payment_status = PAYMENT_STATUSES[fact.payment_status]
    message.attempt = fact.attempt


def _call_to_proto(fact: Called, message: SessionEvent.ProviderCall) -> None:
    message.operation = fact.operation
    message.outcome = fact.outcome
    message.status = fact.status
    span_to_proto(fact.latency, message.latency)
    message.provider_request_id = fact.provider_request_id
    message.attempt = fact.attempt
    message.request_digest = fact.request_digest
    message.answer_digest = fact.answer_digest


def _webhook_to_proto(fact: Received, message: SessionEvent.Webhook) -> None:
    message.outcome = _OUTCOMES[fact.taking]
    message.reason = fact.reason
    message.event_id = fact.event_id
    message.event_type = fact.event_type
