"""Every reason reaches a client with its code and its details."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.api import status
from service.core import errors
from service.core.errors import CheckoutError
from service.core.model import Violation
from tests.api.refusals import decoded, refused
from tests.api.served import LOG_ID, Served

Code = grpc.StatusCode

WRONG = (Violation("cart.currency", "is not accepted"), Violation("ttl", "is too long"))
VIOLATIONS: Mapping[str, object] = {
    "BadRequest": {
        "fieldViolations": [
            {"field": "cart.currency", "description": "is not accepted"},
            {"field": "ttl", "description": "is too long"},
        ]
    }
}
ACCOUNT = {"provider": "dodo", "account": "default"}
A_SECOND: Mapping[str, object] = {"RetryInfo": {"retryDelay": "1s"}}

CASES: list[tuple[CheckoutError, grpc.StatusCode, Mapping[str, object]]] = [
    (errors.InvalidRequest("text", violations=WRONG), Code.INVALID_ARGUMENT, VIOLATIONS),
    (errors.UnsupportedByProvider("text", violations=WRONG), Code.INVALID_ARGUMENT, VIOLATIONS),
    (errors.ProviderRejected("text", violations=WRONG), Code.INVALID_ARGUMENT, VIOLATIONS),
    (
        errors.ProviderNotConfigured("text", metadata=ACCOUNT),
        Code.NOT_FOUND,
        {
            "ResourceInfo": {
                "resourceType": "checkout.v1.ProviderAccount",
                "resourceName": "dodo/default",
            }
        },
    ),
    (
        errors.SessionNotFound("text", session_id="cs_1"),
        Code.NOT_FOUND,
        {"ResourceInfo": {"resourceType": "checkout.v1.Session", "resourceName": "cs_1"}},
    ),
    (errors.RequestIdReused("text", session_id="cs_1"), Code.ALREADY_EXISTS, {}),
    (errors.RequestInFlight("text", session_id="cs_1"), Code.ABORTED, A_SECOND),
    *[
        (
            kind("text", session_id="cs_1"),
            Code.FAILED_PRECONDITION,
            {
                "PreconditionFailure": {
                    "violations": [{"type": kind.reason, "subject": "cs_1", "description": "text"}]
                }
            },
        )
        for kind in (errors.SessionCompleted, errors.PaymentInProgress)
    ],
    (
        errors.ProviderCredentialsRejected("text", metadata=ACCOUNT),
        Code.FAILED_PRECONDITION,
        {},
    ),
    (
        errors.ProviderRateLimited("text", retry_after=timedelta(seconds=2.5)),
        Code.RESOURCE_EXHAUSTED,
        {"RetryInfo": {"retryDelay": "2.500s"}},
    ),
    (errors.ProviderUnavailable("text", metadata=ACCOUNT), Code.UNAVAILABLE, A_SECOND),
    (errors.ProviderOutcomeUnknown("text", metadata=ACCOUNT), Code.UNAVAILABLE, A_SECOND),
    (errors.ProviderOutcomeUnresolved("text", metadata=ACCOUNT), Code.FAILED_PRECONDITION, {}),
    (errors.StoreUnavailable("text"), Code.UNAVAILABLE, A_SECOND),
    (errors.ShuttingDown("text"), Code.UNAVAILABLE, A_SECOND),
    (errors.DeadlineSpent("text", metadata={"leg": "wait"}), Code.DEADLINE_EXCEEDED, {}),
    (errors.CursorOutOfRange("text", metadata={"cause": "too_old"}), Code.OUT_OF_RANGE, {}),
    (errors.WatcherTooSlow("text"), Code.RESOURCE_EXHAUSTED, A_SECOND),
    (errors.TooManyWatchers("text", metadata={"limit": "1"}), Code.RESOURCE_EXHAUSTED, A_SECOND),
]


@pytest.mark.parametrize(
    ("error", "code", "detail"), CASES, ids=lambda case: getattr(case, "reason", "")
)
def test_a_reason_reaches_the_client(
    served: Served,
    grpc_stub: CheckoutServiceStub,
    error: CheckoutError,
    code: grpc.StatusCode,
    detail: Mapping[str, object],
) -> None:
    """An error of the rules answers its code, its text, ErrorInfo and the detail of its kind."""
    served.get_session.failure = error
    refusal = refused(lambda: grpc_stub.GetSession(pb.GetSessionRequest(session_id="cs_1")))
    info = {"reason": error.reason, "domain": "checkout.v1"}
    if error.metadata:
        info["metadata"] = error.metadata  # type: ignore[assignment]
    assert (code, "text") == (refusal.code, refusal.message)
    assert {"ErrorInfo": info, **detail} == refusal.details


def test_every_reason_of_the_rules_is_tried() -> None:
    """The cases above leave out no row of the table."""
    assert set(status.TABLE) == {error.reason for error, _, _ in CASES}


def test_a_refusal_without_a_field_names_none(
    served: Served, grpc_stub: CheckoutServiceStub
) -> None:
    """Where the provider named no field of ours, there is no empty BadRequest."""
    served.get_session.failure = errors.ProviderRejected("text", metadata=ACCOUNT)
    refusal = refused(lambda: grpc_stub.GetSession(pb.GetSessionRequest(session_id="cs_1")))
    assert {"ErrorInfo"} == set(refusal.details)


def test_a_bug_tells_nothing(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """An unforeseen exception answers a fixed text and the id of its log line."""
    served.get_session.failure = ValueError("secret of buyer@example.com")
    refusal = refused(lambda: grpc_stub.GetSession(pb.GetSessionRequest(session_id="cs_1")))
    assert (refusal.code, refusal.message) == (Code.INTERNAL, "internal error")
    info = {"reason": "INTERNAL", "domain": "checkout.v1", "metadata": {"log_id": LOG_ID}}
    assert {"ErrorInfo": info} == refusal.details
    line = served.line("GetSession", log_id=LOG_ID)
    assert line["error"] == "ValueError"
    assert "secret" not in str(line)


def test_a_long_list_of_violations_is_cut(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """More violations than trailing metadata can carry are counted instead of losing the answer."""
    wrong = [Violation(f"cart.line_items[{i}].quantity", "must be less") for i in range(500)]
    served.get_session.failure = errors.InvalidRequest("x" * 9000, violations=wrong)
    refusal = refused(lambda: grpc_stub.GetSession(pb.GetSessionRequest(session_id="cs_1")))
    assert refusal.code == Code.INVALID_ARGUMENT
    kept = refusal.fields
    assert [violation.field for violation in wrong[: len(kept)]] == kept
    assert {"violations_omitted": str(500 - len(kept))} == refusal.info["metadata"]
    assert len(kept) > 50


def test_values_are_cut_between_characters() -> None:
    """A long value of many-byte characters stays valid text within the limit."""
    error = errors.ProviderRejected("é" * 9000, metadata={"provider_message": "€" * 9000})
    answer = status.of_error(error)
    ((_, raw),) = answer.trailers
    value = decoded(raw)["ErrorInfo"]["metadata"]["provider_message"]
    assert {"€"} == set(value[:-1])
    assert len(raw) < status.MAX_DETAILS_BYTES
    assert len(answer.message.encode()) <= status.MAX_TEXT + len("…".encode())
