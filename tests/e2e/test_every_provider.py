"""One contract, every provider: each documented first session is made, shown on a page, and paid."""

import json
import shlex
import urllib.request
from datetime import timedelta

import pytest
from google.protobuf import json_format

from checkout.sandbox.v1 import sandbox_service_pb2
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.session_change_pb2 import SessionChange
from checkout.v1.session_event_pb2 import SessionEvent
from service.providers.registry import PROVIDERS
from tests.e2e.conftest import CheckoutStub, SandboxStub
from tests.e2e.documents import SANDBOX, shell

pytestmark = pytest.mark.slow

Session = session_pb2.Session
TIMEOUT = 30


def first_requests() -> dict[str, dict[str, object]]:
    """Read the documented request for each provider."""
    commands = [shlex.split(line) for line in shell(SANDBOX) if line.endswith("/CreateSession")]
    requests = [json.loads(words[words.index("-d") + 1]) for words in commands]
    return {request["provider"]: request for request in requests}


def test_every_provider_has_a_documented_first_session() -> None:
    """None is left out."""
    assert set(first_requests()) == set(PROVIDERS)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_session_is_made_shown_and_paid(
    provider: str, checkout: CheckoutStub, sandbox: SandboxStub
) -> None:
    """The same three calls do the same at every provider."""
    request = json_format.ParseDict(first_requests()[provider], pb.CreateSessionRequest())
    made = checkout.CreateSession(request, timeout=TIMEOUT).session
    assert made.state == Session.STATE_OPEN
    with urllib.request.urlopen(made.checkout_url, timeout=TIMEOUT) as page:
        assert "19.99" in page.read().decode()
    paid = sandbox_service_pb2.PaySessionRequest(session_id=made.provider_session_id)
    sandbox.PaySession(paid, timeout=TIMEOUT)
    read = pb.GetSessionRequest(session_id=made.session_id)
    session = checkout.GetSession(read, timeout=TIMEOUT).session
    assert session.state == Session.STATE_COMPLETED
    assert session.payment_status == Session.PAYMENT_STATUS_PAID
    assert session.amount_paid.amount >= 1999


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_timeline_tells_how_it_went(
    provider: str, checkout: CheckoutStub, sandbox: SandboxStub
) -> None:
    """From the request to the payment each step is told: who was called, who told of it, what came of it."""
    request = json_format.ParseDict(first_requests()[provider], pb.CreateSessionRequest())
    made = checkout.CreateSession(request, timeout=TIMEOUT).session
    paid = sandbox_service_pb2.PaySessionRequest(session_id=made.provider_session_id)
    sandbox.PaySession(paid, timeout=TIMEOUT)
    entries = timeline(checkout, made.session_id)
    calls = [one.provider_call for one in entries if one.HasField("provider_call")]
    assert calls[0].operation == "create"
    for call in calls:
        assert (call.outcome, call.status // 100, call.attempt) == ("answered", 2, 1)
        assert call.latency.ToTimedelta() > timedelta(0)
        assert call.answer_digest
    webhooks = [one.webhook.outcome for one in entries if one.HasField("webhook")]
    assert SessionEvent.Webhook.OUTCOME_APPLIED in webhooks
    changes = [one.change for one in entries if one.HasField("change")]
    assert changes[0].cause == SessionEvent.Change.CAUSE_CREATE_REQUESTED
    told = {number: one.cause for one in changes for number in one.types}
    assert told[SessionChange.TYPE_SESSION_OPENED] == SessionEvent.Change.CAUSE_CREATE_ANSWERED
    assert told[SessionChange.TYPE_SESSION_COMPLETED] == SessionEvent.Change.CAUSE_WEBHOOK


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_timeline_tells_who_ended_it(provider: str, checkout: CheckoutStub) -> None:
    """An end on request is told as one, with the call that closed the page where there is one."""
    request = json_format.ParseDict(first_requests()[provider], pb.CreateSessionRequest())
    made = checkout.CreateSession(request, timeout=TIMEOUT).session
    checkout.ExpireSession(pb.ExpireSessionRequest(session_id=made.session_id), timeout=TIMEOUT)
    entries = timeline(checkout, made.session_id)
    (end,) = [
        one.change for one in entries if SessionChange.TYPE_SESSION_EXPIRED in one.change.types
    ]
    assert end.cause == SessionEvent.Change.CAUSE_EXPIRE_REQUESTED
    assert end.state == Session.STATE_EXPIRED


def timeline(checkout: CheckoutStub, session_id: str) -> list[SessionEvent]:
    """Return what happened to a session."""
    asked = pb.ListSessionEventsRequest(session_id=session_id)
    return list(checkout.ListSessionEvents(asked, timeout=TIMEOUT).session_events)
