"""ListSessionEvents as a client meets it."""

from __future__ import annotations

from datetime import UTC

import grpc
import msgspec
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from checkout.v1.session_change_pb2 import SessionChange
from checkout.v1.session_event_pb2 import SessionEvent
from checkout.v1.session_pb2 import Session
from tests.api.refusals import refused
from tests.api.served import Served
from tests.core.builders import NOW

METHOD = "checkout.v1.CheckoutService/ListSessionEvents"
Change, Webhook = SessionEvent.Change, SessionEvent.Webhook


@pytest.fixture(scope="module")
def session_id(grpc_server: Served) -> str:
    """Create a session and have it paid."""
    with grpc.insecure_channel(grpc_server.address) as channel:
        request = pb.CreateSessionRequest(provider="scripted")
        request.cart.line_items.add(product_id="pdt_demo", quantity=1)
        made = CheckoutServiceStub(channel).CreateSession(request)
    body = {"id": "e1", "session": made.session.session_id, "payment": "p", "status": "PAID"}
    grpc_server.run(
        grpc_server.rules.receive_webhook(
            "scripted", "default", {"signature": "good"}, msgspec.json.encode(body)
        )
    )
    return str(made.session.session_id)


def test_a_timeline_is_listed(grpc_stub: CheckoutServiceStub, session_id: str) -> None:
    """Each entry says when it happened, of which version it is, and what happened."""
    answer = grpc_stub.ListSessionEvents(pb.ListSessionEventsRequest(session_id=session_id))
    created, opened, webhook, paid = answer.session_events
    assert [one.version for one in answer.session_events] == [1, 2, 3, 3]
    assert {one.event_time.ToDatetime(UTC) for one in answer.session_events} == {NOW}
    assert created.change == Change(
        cause=Change.CAUSE_CREATE_REQUESTED,
        types=[SessionChange.TYPE_SESSION_CREATED],
        state=Session.STATE_CREATING,
        payment_status=Session.PAYMENT_STATUS_UNPAID,
        attempt=1,
    )
    assert opened.change.cause == Change.CAUSE_CREATE_ANSWERED
    assert webhook.webhook == Webhook(
        outcome=Webhook.OUTCOME_APPLIED, event_id="e1", event_type="payment"
    )
    assert list(paid.change.types) == [
        SessionChange.TYPE_PAYMENT_PAID,
        SessionChange.TYPE_SESSION_COMPLETED,
    ]
    assert (paid.change.state, answer.next_page_token) == (Session.STATE_COMPLETED, "")


def test_pages_lead_on(grpc_stub: CheckoutServiceStub, session_id: str) -> None:
    """A token leads to the next page, and to none of another session."""
    whole = grpc_stub.ListSessionEvents(pb.ListSessionEventsRequest(session_id=session_id))
    ask = pb.ListSessionEventsRequest(session_id=session_id, page_size=3)
    first = grpc_stub.ListSessionEvents(ask)
    ask.page_token = first.next_page_token
    rest = grpc_stub.ListSessionEvents(ask)
    assert [*first.session_events, *rest.session_events] == list(whole.session_events)
    ask.session_id = "cs_other"
    assert refused(lambda: grpc_stub.ListSessionEvents(ask)).fields == ["page_token"]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.ListSessionEventsRequest(), ["session_id"]),
        (pb.ListSessionEventsRequest(session_id="cs_x", page_size=-1), ["page_size"]),
        (pb.ListSessionEventsRequest(session_id="cs_x", page_token="token"), ["page_token"]),
    ],
    ids=["no id", "size", "token"],
)
def test_broken_questions_are_refused(
    grpc_stub: CheckoutServiceStub, request_: pb.ListSessionEventsRequest, fields: list[str]
) -> None:
    """What breaks the contract is refused by field."""
    assert refused(lambda: grpc_stub.ListSessionEvents(request_)).fields == fields


def test_an_unknown_session_has_no_timeline(grpc_stub: CheckoutServiceStub) -> None:
    """A session that is not there is no empty list."""
    ask = pb.ListSessionEventsRequest(session_id="cs_unknown")
    assert refused(lambda: grpc_stub.ListSessionEvents(ask)).info["reason"] == "SESSION_NOT_FOUND"
