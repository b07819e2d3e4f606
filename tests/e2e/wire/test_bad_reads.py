"""Listings, reads and ends of sessions that cannot be meant, over the wire."""

from collections.abc import Callable

import grpc
import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import refused
from tests.e2e.wire.requests import TIMEOUT, Fields

pytestmark = pytest.mark.slow

INVALID = grpc.StatusCode.INVALID_ARGUMENT

BAD_LISTS: dict[str, tuple[Fields, list[str]]] = {
    "a page token of nobody": ({"page_token": "abc"}, ["page_token"]),
    "a page token that is no base64": ({"page_token": "é"}, ["page_token"]),
    "negative page size": ({"page_size": -1}, ["page_size"]),
    "unknown state": (
        {"states": [99], "payment_statuses": [0]},
        ["states[0]", "payment_statuses[0]"],
    ),
    "metadata without range": ({"metadata": {"a": "b"}}, ["metadata"]),
    "range of 32 days": (
        {
            "metadata": {"a": "b"},
            "create_time_from": "2026-01-01T00:00:00Z",
            "create_time_to": "2026-02-02T00:00:00Z",
        },
        ["metadata", "create_time_from", "create_time_to"],
    ),
    "range backwards": (
        {"create_time_from": "2026-01-02T00:00:00Z", "create_time_to": "2026-01-01T00:00:00Z"},
        ["create_time_from", "create_time_to"],
    ),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_bad_listings(checkout: CheckoutServiceStub, case: str) -> None:
    """A listing with conditions that cannot be meant names them."""
    fields, paths = BAD_LISTS[case]
    request = json_format.ParseDict(fields, pb.ListSessionsRequest())
    refusal = refused(lambda: checkout.ListSessions(request, timeout=TIMEOUT))
    assert (INVALID, "INVALID_REQUEST", sorted(paths)) == (
        refusal.code,
        refusal.info["reason"],
        sorted(refusal.fields),
    )


@pytest.mark.parametrize("session_id", ["cs_none", "é", "'; DROP TABLE sessions; --"])
def test_unknown_sessions(checkout: CheckoutServiceStub, session_id: str) -> None:
    """Reading or ending a session that is none is not found, and the answer names it."""
    calls: list[Callable[[], object]] = [
        lambda: checkout.GetSession(pb.GetSessionRequest(session_id=session_id), timeout=TIMEOUT),
        lambda: checkout.GetSession(
            pb.GetSessionRequest(session_id=session_id, refresh=True), timeout=TIMEOUT
        ),
        lambda: checkout.ExpireSession(
            pb.ExpireSessionRequest(session_id=session_id), timeout=TIMEOUT
        ),
    ]
    resource = {"resourceType": "checkout.v1.Session", "resourceName": session_id}
    for refusal in map(refused, calls):
        assert (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", resource) == (
            refusal.code,
            refusal.info["reason"],
            refusal.details["ResourceInfo"],
        )
        assert {"session_id": session_id} == refusal.info["metadata"]


@pytest.mark.parametrize("length", [0, 65])
def test_session_ids_of_no_possible_length(checkout: CheckoutServiceStub, length: int) -> None:
    """A session id that cannot be one is refused before anything is looked up."""
    request = pb.GetSessionRequest(session_id="x" * length)
    refusal = refused(lambda: checkout.GetSession(request, timeout=TIMEOUT))
    assert (refusal.code, refusal.fields) == (INVALID, ["session_id"])
