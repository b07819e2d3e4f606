"""What callers learn of Dodo Payments beyond the faults that every provider has, through the whole service."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import Refusal, refused
from tests.e2e.process import ServiceProcess
from tests.e2e.wire.provider import API_KEY, Provider, answers, refuses, resets
from tests.e2e.wire.requests import TIMEOUT, Fields, create_request, fresh_id
from tests.e2e.wire.webhooks import deliver, payment_event, signed

pytestmark = pytest.mark.slow

Code = grpc.StatusCode
SAVED_METHOD: Fields = {
    "customer": {
        "customer_id": "cus_1",
        "billing_address": {"country": "US", "postal_code": "94105"},
    },
    "provider_options": {
        "dodo": {"confirm": True, "minimal_address": True, "payment_method_id": "pm_1"}
    },
}


def create(stub: CheckoutServiceStub, **fields: object) -> session_pb2.Session:
    """Create a session."""
    return stub.CreateSession(create_request(**fields), timeout=TIMEOUT).session


def refusal_of(stub: CheckoutServiceStub, **fields: object) -> Refusal:
    """Return how a create fails, having checked what every such answer names."""
    refusal = refused(lambda: create(stub, **fields))
    metadata = refusal.info["metadata"]
    assert ("dodo", fields.get("account", "default")) == (metadata["provider"], metadata["account"])
    return refusal


def read(stub: CheckoutServiceStub, refusal: Refusal) -> dict[str, Any]:
    """Read the session of a create that failed."""
    request = pb.GetSessionRequest(session_id=refusal.info["metadata"]["session_id"])
    session = stub.GetSession(request, timeout=TIMEOUT).session
    return json_format.MessageToDict(session)


def test_nobody_listens_and_nobody_comes_back(stub: CheckoutServiceStub) -> None:
    """Without a request id there is no second attempt, so the session has failed."""
    session = read(stub, refusal_of(stub, account="refused"))
    assert (session["state"], session["failure"]["reason"]) == (
        "STATE_FAILED",
        "PROVIDER_UNAVAILABLE",
    )


def test_credentials_that_are_refused(
    provider: Provider, stub: CheckoutServiceStub, key_file: Path
) -> None:
    """Refused credentials are the operator's fault; a key changed in its file works without a restart."""

    def only_the_new_key(handler: Any) -> None:  # noqa: ANN401 - the server's handler
        if handler.headers["Authorization"] == "Bearer the-new-key":
            provider.opens(handler)
        else:
            refuses(401, "UNAUTHORIZED", f"{API_KEY} is no key")(handler)

    provider.respond = only_the_new_key
    fields: Fields = {"request_id": fresh_id(), "account": "rotated"}
    refusal = refusal_of(stub, **fields)
    assert (refusal.code, refusal.info["reason"], set(refusal.details)) == (
        Code.FAILED_PRECONDITION,
        "PROVIDER_CREDENTIALS_REJECTED",
        {"ErrorInfo"},
    )
    assert refusal.info["metadata"]["provider_message"] == "[redacted] is no key"
    key_file.write_text("the-new-key\n")
    session = create(stub, **fields)
    assert session.session_id == refusal.info["metadata"]["session_id"]
    assert session.state == session_pb2.Session.STATE_OPEN


def test_a_refusal(provider: Provider, stub: CheckoutServiceStub) -> None:
    """A provider's refusal keeps its code and text, names our field, and is repeated without a second call."""
    provider.respond = refuses(422, "INVALID_DISCOUNT_CODE", "discount_codes: no such code")
    fields: Fields = {"request_id": fresh_id()}
    first, again = (refusal_of(stub, **fields) for _ in range(2))
    assert (first.code, first.info, first.details) == (again.code, again.info, again.details)
    assert (first.code, first.info["reason"]) == (Code.INVALID_ARGUMENT, "PROVIDER_REJECTED")
    said = {
        "provider_status": "422",
        "provider_code": "INVALID_DISCOUNT_CODE",
        "provider_message": "discount_codes: no such code",
        "provider_field": "discount_codes",
    }
    assert said.items() <= first.info["metadata"].items()
    assert first.fields == ["cart.discount_codes"]
    assert len(provider.bodies) == 1
    session = read(stub, first)
    assert session["state"] == "STATE_FAILED"
    assert session["failure"] == {
        "reason": "PROVIDER_REJECTED",
        "providerCode": "INVALID_DISCOUNT_CODE",
    }


@pytest.mark.parametrize("has_request_id", [True, False])
def test_a_saved_way_to_pay_and_a_lost_answer(
    provider: Provider, stub: CheckoutServiceStub, has_request_id: bool
) -> None:
    """Where the lost request may have charged the buyer, no repeat calls again and the session says so."""
    provider.respond = resets
    fields: Fields = {**SAVED_METHOD, "request_id": fresh_id() if has_request_id else ""}
    refusal = refusal_of(stub, **fields)
    assert (refusal.code, refusal.info["reason"], set(refusal.details)) == (
        Code.FAILED_PRECONDITION,
        "PROVIDER_OUTCOME_UNRESOLVED",
        {"ErrorInfo"},
    )
    assert read(stub, refusal)["state"] == "STATE_UNRESOLVED"
    if has_request_id:
        provider.respond = provider.opens
        again = refusal_of(stub, **fields)
        assert (again.code, again.info) == (refusal.code, refusal.info)
    assert len(provider.bodies) == 1


def test_what_is_sent(provider: Provider, stub: CheckoutServiceStub) -> None:
    """The provider gets the account's key, our session's id under the reserved name, and filled-in URLs."""
    session = create(
        stub,
        success_url="https://example.com/{SESSION_ID}?order={REFERENCE_ID}",
        reference_id="a b",
        metadata={"order": "7"},
    )
    (body,) = provider.bodies
    assert provider.authorizations == [f"Bearer {API_KEY}"]
    assert body["metadata"] == {"order": "7", "checkout_session_id": session.session_id}
    assert body["return_url"] == f"https://example.com/{session.session_id}?order=a%20b"
    assert session.checkout_url == f"{provider.url}/session/{session.provider_session_id}"


@pytest.mark.parametrize("text", ["\ud800", "\u0000", "\u202e\u2028", "x" * 200_000])
def test_texts_that_nobody_expects(
    provider: Provider, accounts: ServiceProcess, stub: CheckoutServiceStub, text: str
) -> None:
    """Whatever texts a provider answers or reports, the service stays well and its sessions readable."""
    session = create(stub)
    reports: list[Fields] = [
        {"customer": {"name": text, "email": text}},
        {"payment_id": text},
        {"kind": "failed", "error_code": text, "error_message": text},
        {"checkout_session_id": text, "subscription_id": text},
        {"custom_field_responses": [{"key": text, "value": text}]},
        {"disputes": [{"dispute_id": text, "payment_id": "p", "dispute_status": text}]},
        {"metadata": {"checkout_session_id": text}},
    ]
    for report in reports:
        event = payment_event(session.session_id, **report)
        assert deliver(accounts.web, signed(event)).status in (200, 400)
    for respond in (
        answers(200, {"session_id": text}),
        answers(200, {"session_id": "cks", "client_secret": text, "payment_id": text}),
        refuses(422, text, text),
    ):
        provider.respond = respond
        request = create_request(request_id=fresh_id())
        try:
            stub.CreateSession(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            call: Any = error
            assert call.code() not in (Code.INTERNAL, Code.UNKNOWN)
    listed = stub.ListSessions(pb.ListSessionsRequest(page_size=1000), timeout=TIMEOUT).sessions
    assert session.session_id in [found.session_id for found in listed]
    assert [line for line in accounts.log() if line["level"] == "error"] == []
