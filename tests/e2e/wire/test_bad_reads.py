"""Listings, reads and ends of sessions that cannot be meant, over the wire."""

from collections.abc import Callable

import grpc
import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import refused
from tests.e2e.wire.requests import LINE, TIMEOUT, Fields

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


BAD_CHECKS: dict[str, tuple[Fields, list[str]]] = {
    "nothing": ({}, ["request.cart"]),
    "no lines": ({"request": {"cart": {}}}, ["request.cart.line_items"]),
    "a provider's name that can be none": (
        {"request": {"provider": "Dodo!", "cart": {"line_items": [LINE]}}},
        ["request.provider"],
    ),
    "two ends, and an address that is none": (
        {
            "request": {
                "cart": {"line_items": [LINE]},
                "ttl": "60s",
                "expire_time": "2026-01-01T00:00:00Z",
                "success_url": "ftp://a.example",
            }
        },
        ["request.expire_time", "request.ttl", "request.success_url"],
    ),
    "a currency that is none": (
        {"request": {"cart": {"line_items": [LINE], "currency": "ZZZ"}}},
        ["request.cart.currency"],
    ),
}
BAD_UNMATCHED: dict[str, tuple[Fields, list[str]]] = {
    "a page token of nobody": ({"page_token": "abc"}, ["page_token"]),
    "negative page size": ({"page_size": -1}, ["page_size"]),
    "range backwards": (
        {"receive_time_from": "2026-01-02T00:00:00Z", "receive_time_to": "2026-01-01T00:00:00Z"},
        ["receive_time_from", "receive_time_to"],
    ),
    "names of no possible length": (
        {"provider": "x" * 33, "account": "x" * 64},
        ["provider", "account"],
    ),
}


@pytest.mark.parametrize("case", BAD_CHECKS)
def test_bad_checks(checkout: CheckoutServiceStub, case: str) -> None:
    """A check of what could be created nowhere names what is wrong, below the request that it holds."""
    fields, paths = BAD_CHECKS[case]
    request = json_format.ParseDict(fields, pb.CheckSessionRequest())
    refusal = refused(lambda: checkout.CheckSession(request, timeout=TIMEOUT))
    assert (INVALID, "INVALID_REQUEST", sorted(paths)) == (
        refusal.code,
        refusal.info["reason"],
        sorted(refusal.fields),
    )


def test_checks_of_nobody(checkout: CheckoutServiceStub) -> None:
    """A check by an account that nobody configured is answered as its create would be."""
    request = json_format.ParseDict(
        {"request": {"provider": "dodo", "account": "eu", "cart": {"line_items": [LINE]}}},
        pb.CheckSessionRequest(),
    )
    refusal = refused(lambda: checkout.CheckSession(request, timeout=TIMEOUT))
    assert (
        refusal.code,
        refusal.info["reason"],
    ) == (grpc.StatusCode.NOT_FOUND, "PROVIDER_NOT_CONFIGURED")


@pytest.mark.parametrize("case", BAD_UNMATCHED)
def test_bad_listings_of_unmatched_payments(checkout: CheckoutServiceStub, case: str) -> None:
    """A listing of unmatched payments with conditions that cannot be meant names them."""
    fields, paths = BAD_UNMATCHED[case]
    request = json_format.ParseDict(fields, pb.ListUnmatchedPaymentsRequest())
    refusal = refused(lambda: checkout.ListUnmatchedPayments(request, timeout=TIMEOUT))
    assert (INVALID, sorted(paths)) == (refusal.code, sorted(refusal.fields))


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
        lambda: checkout.ListSessionEvents(
            pb.ListSessionEventsRequest(session_id=session_id), timeout=TIMEOUT
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
