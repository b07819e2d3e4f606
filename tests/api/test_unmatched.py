"""ListUnmatchedPayments as a client meets it."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import msgspec
import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2, unmatched_payment_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import refused
from tests.api.served import Served
from tests.core.builders import NOW

METHOD = "checkout.v1.CheckoutService/ListUnmatchedPayments"
Kind = unmatched_payment_pb2.UnmatchedPayment


@pytest.fixture(scope="module", autouse=True)
def received(grpc_server: Served) -> None:
    """Deliver three events of payments, and one refund, that belong to no session."""
    events: list[dict[str, object]] = [
        {"id": f"e{n}", "session": "cs_elsewhere", "payment": f"p{n}", "status": "PAID"}
        for n in range(3)
    ]
    events.append({"id": "e3", "references": ["payment:x"], "payment": "x", "refund": "r"})
    for event in events:
        body = msgspec.json.encode(event)
        headers = {"signature": "good"}
        grpc_server.run(grpc_server.rules.receive_webhook("scripted", "default", headers, body))


def ids(answer: pb.ListUnmatchedPaymentsResponse) -> list[str]:
    """Return the ids of listed events."""
    return [one.event_id for one in answer.unmatched_payments]


def test_unmatched_payments_are_listed(grpc_stub: CheckoutServiceStub) -> None:
    """Each is listed with its ids, its amount, and what it says of the money."""
    answer = grpc_stub.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest())
    refund, *_, payment = answer.unmatched_payments
    assert ids(answer) == ["e3", "e2", "e1", "e0"]
    assert (payment.provider, payment.account, payment.live) == ("scripted", "default", False)
    assert (payment.kind, payment.event_type) == (Kind.KIND_PAYMENT, "payment")
    assert (payment.provider_payment_id, payment.session_id) == ("p0", "cs_elsewhere")
    assert payment.payment_status == session_pb2.Payment.STATUS_PAID
    assert (payment.amount.amount, payment.amount.currency) == (1999, "USD")
    assert payment.payment_time.ToDatetime(UTC) == payment.receive_time.ToDatetime(UTC) == NOW
    assert not payment.reduced
    assert (refund.kind, refund.provider_refund_id) == (Kind.KIND_REFUND, "r")
    assert (refund.provider_payment_id, list(refund.references)) == ("x", ["payment:x"])
    assert not refund.HasField("amount")
    assert not refund.HasField("payment_time")


def test_pages_lead_on(grpc_stub: CheckoutServiceStub) -> None:
    """A token leads to the next page under the same conditions only."""
    ask = pb.ListUnmatchedPaymentsRequest(page_size=3)
    page = grpc_stub.ListUnmatchedPayments(ask)
    ask.page_token = page.next_page_token
    rest = grpc_stub.ListUnmatchedPayments(ask)
    assert (ids(page), ids(rest), rest.next_page_token) == (["e3", "e2", "e1"], ["e0"], "")
    ask.provider = "scripted"
    assert refused(lambda: grpc_stub.ListUnmatchedPayments(ask)).fields == ["page_token"]


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        ({"provider": "scripted", "account": "default"}, 4),
        ({"provider": "nobody"}, 0),
        ({"account": "nobody"}, 0),
        ({"receive_time_from": NOW.isoformat()}, 4),
        ({"receive_time_to": NOW.isoformat()}, 0),
        ({"receive_time_from": datetime(2026, 3, 2, tzinfo=UTC).isoformat()}, 0),
        ({"page_size": 5000}, 4),
    ],
    ids=str,
)
def test_conditions(
    grpc_stub: CheckoutServiceStub, conditions: dict[str, object], count: int
) -> None:
    """Conditions that are set must all hold."""
    ask = json_format.ParseDict(conditions, pb.ListUnmatchedPaymentsRequest())
    assert len(ids(grpc_stub.ListUnmatchedPayments(ask))) == count


@pytest.mark.parametrize(
    ("conditions", "paths"),
    [
        ({"page_size": -1, "page_token": "x" * 513}, ["page_size", "page_token"]),
        ({"page_token": "nonsense"}, ["page_token"]),
        ({"provider": "x" * 33, "account": "x" * 64}, ["provider", "account"]),
        (
            {
                "receive_time_from": "2026-03-02T00:00:00Z",
                "receive_time_to": "2026-03-01T00:00:00Z",
            },
            ["receive_time_from", "receive_time_to"],
        ),
    ],
    ids=["sizes", "token", "names", "range"],
)
def test_bad_conditions(
    grpc_stub: CheckoutServiceStub, conditions: dict[str, object], paths: list[str]
) -> None:
    """Conditions that cannot be meant are all named."""
    ask = json_format.ParseDict(conditions, pb.ListUnmatchedPaymentsRequest())
    refusal = refused(lambda: grpc_stub.ListUnmatchedPayments(ask))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert sorted(refusal.fields) == sorted(paths)


def test_a_listing_is_logged_and_counted_by_provider(
    served: Served, grpc_stub: CheckoutServiceStub
) -> None:
    """The provider that was asked for stands in the line and in the metrics."""
    labels = {"method": METHOD, "code": "OK", "reason": "", "provider": "scripted"}
    before = served.count("checkout_grpc_calls_handled_total", **labels)
    grpc_stub.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest(provider="scripted"))
    assert served.line("ListUnmatchedPayments", provider="scripted", code="OK")["level"] == "info"
    assert served.count("checkout_grpc_calls_handled_total", **labels) == before + 1
