"""A session's timeline at a real process, whose provider answers, refuses and breaks off as it is told."""

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from checkout.v1.session_change_pb2 import SessionChange
from checkout.v1.session_event_pb2 import SessionEvent
from checkout.v1.session_pb2 import Session
from tests.api.refusals import refused
from tests.e2e.process import ServiceProcess
from tests.e2e.wire.provider import Provider, answers, refuses, resets
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id
from tests.e2e.wire.webhooks import deliver, payment_event, signed

pytestmark = pytest.mark.slow

Change, Webhook = SessionEvent.Change, SessionEvent.Webhook
FORGED = "whsec_Zm9yZ2VkLXNlY3JldC10aGF0LWlzLWxvbmctZW5vdWdo"


def timeline(stub: CheckoutServiceStub, session_id: str) -> list[SessionEvent]:
    """Return what happened to a session."""
    asked = pb.ListSessionEventsRequest(session_id=session_id)
    return list(stub.ListSessionEvents(asked, timeout=TIMEOUT).session_events)


def calls(entries: list[SessionEvent]) -> list[SessionEvent.ProviderCall]:
    """Return the calls of a timeline."""
    return [one.provider_call for one in entries if one.HasField("provider_call")]


def causes(entries: list[SessionEvent]) -> list[str]:
    """Return the causes of a timeline's changes."""
    return [Change.Cause.Name(one.change.cause) for one in entries if one.HasField("change")]


def test_a_session_that_is_paid(
    accounts: ServiceProcess, provider: Provider, stub: CheckoutServiceStub
) -> None:
    """The call has its status, its time and the provider's id of it; of webhooks each genuine one is told."""
    page = {"session_id": f"cks_{fresh_id()}", "checkout_url": f"{provider.url}/session/1"}
    provider.respond = answers(200, page, X_Request_Id="req-42")
    made = stub.CreateSession(create_request(), timeout=TIMEOUT).session
    event = payment_event(made.session_id)
    assert deliver(accounts.web, signed(event, FORGED)).status == 401
    delivery = signed(event)
    for _ in range(2):
        assert deliver(accounts.web, delivery).status == 200
    entries = timeline(stub, made.session_id)
    assert [one.WhichOneof("event") for one in entries] == [
        *("change", "provider_call", "change"),
        *("webhook", "change"),
        "webhook",
    ]
    (call,) = calls(entries)
    assert (call.operation, call.outcome, call.status) == ("create", "answered", 200)
    assert (call.provider_request_id, call.attempt) == ("req-42", 1)
    assert 0 < call.latency.ToTimedelta().total_seconds() < TIMEOUT
    assert len(call.request_digest) == len(call.answer_digest) == 16
    applied, again = (one.webhook for one in entries if one.HasField("webhook"))
    assert (applied.outcome, applied.event_type) == (Webhook.OUTCOME_APPLIED, "payment.succeeded")
    assert (again.outcome, again.reason) == (Webhook.OUTCOME_DUPLICATE, "ALREADY_RECEIVED")
    assert applied.event_id == again.event_id == delivery.headers["webhook-id"]
    paid = entries[4].change
    assert (paid.cause, paid.state) == (Change.CAUSE_WEBHOOK, Session.STATE_COMPLETED)
    assert SessionChange.TYPE_PAYMENT_PAID in paid.types
    times = [one.event_time.ToDatetime() for one in entries]
    assert times[1] <= times[2] <= times[4]


def test_a_create_that_is_refused(provider: Provider, stub: CheckoutServiceStub) -> None:
    """The status of the refusal stands beside the failure."""
    provider.respond = refuses(422, "INVALID_REQUEST_BODY", "no", X_Request_Id="req-43")
    failure = refused(lambda: stub.CreateSession(create_request(), timeout=TIMEOUT))
    entries = timeline(stub, failure.info["metadata"]["session_id"])
    (call,) = calls(entries)
    assert (call.outcome, call.status, call.provider_request_id) == ("answered", 422, "req-43")
    assert entries[-1].change.state == Session.STATE_FAILED
    assert causes(entries) == ["CAUSE_CREATE_REQUESTED", "CAUSE_CREATE_ANSWERED"]


def test_a_create_that_breaks_off_and_its_repeat(
    provider: Provider, stub: CheckoutServiceStub
) -> None:
    """A call without an answer says why; the repeat begins another attempt."""
    request = create_request(request_id=fresh_id())
    provider.respond = resets
    with pytest.raises(grpc.RpcError):
        stub.CreateSession(request, timeout=TIMEOUT)
    provider.respond = provider.opens
    made = stub.CreateSession(request, timeout=TIMEOUT).session
    entries = timeline(stub, made.session_id)
    lost, found = calls(entries)
    # Which of the two it is, depends on how far reading had come.
    assert lost.outcome in {"reset", "disconnected"}
    assert (lost.status, lost.answer_digest) == (0, "")
    assert (found.outcome, found.status) == ("answered", 200)
    assert causes(entries) == [
        *("CAUSE_CREATE_REQUESTED", "CAUSE_CREATE_ANSWERED"),
        *("CAUSE_CREATE_REPEATED", "CAUSE_CREATE_ANSWERED"),
    ]
    assert [one.change.attempt for one in entries if one.HasField("change")] == [1, 1, 2, 2]


def test_a_session_that_is_ended(provider: Provider, stub: CheckoutServiceStub) -> None:
    """An end on request has its cause."""
    made = stub.CreateSession(create_request(), timeout=TIMEOUT).session
    stub.ExpireSession(pb.ExpireSessionRequest(session_id=made.session_id), timeout=TIMEOUT)
    end = timeline(stub, made.session_id)[-1].change
    assert end.cause == Change.CAUSE_EXPIRE_REQUESTED
    assert list(end.types) == [SessionChange.TYPE_SESSION_EXPIRED]
