"""The server as a client meets it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.api.server import MAX_REQUEST_BYTES
from service.core.errors import ProviderRejected
from service.core.model import Violation
from tests.api.refusals import refused
from tests.api.served import PATIENCE, Served

Code = grpc.StatusCode
Health = health_pb2.HealthCheckResponse

GET = "/checkout.v1.CheckoutService/GetSession"
FIRST = '{"provider":"scripted","cart":{"line_items":[{"product_id":"pdt_demo","quantity":1}]}}'


def first() -> pb.CreateSessionRequest:
    """Return the simplest request."""
    return json_format.Parse(FIRST, pb.CreateSessionRequest())


def send(channel: grpc.Channel, method: str, body: bytes) -> bytes:
    """Send bytes as they are, and return the answer as it comes."""
    call: Any = channel.unary_unary(method, None, None)
    return bytes(call(body, timeout=PATIENCE))


def test_a_session_is_created_and_read(grpc_stub: CheckoutServiceStub) -> None:
    """What CreateSession answers, GetSession answers again."""
    made = grpc_stub.CreateSession(first())
    assert made.session.state == session_pb2.Session.STATE_OPEN
    assert made.session.checkout_url.startswith("https://pay.example/")
    found = grpc_stub.GetSession(pb.GetSessionRequest(session_id=made.session.session_id))
    assert found.session == made.session
    assert not made.replayed


def test_a_repeat_is_replayed(grpc_stub: CheckoutServiceStub) -> None:
    """The same request_id answers the same session and says so."""
    request = first()
    request.request_id = "order-1"
    made, again = grpc_stub.CreateSession(request), grpc_stub.CreateSession(request)
    assert again.session == made.session
    assert again.replayed


def test_a_request_id_is_not_used_twice(grpc_stub: CheckoutServiceStub) -> None:
    """Another content under a used request_id is refused with the session it made."""
    request = first()
    request.request_id = "order-2"
    made = grpc_stub.CreateSession(request)
    request.reference_id = "other"
    refusal = refused(lambda: grpc_stub.CreateSession(request))
    assert refusal.code is Code.ALREADY_EXISTS
    assert refusal.info["metadata"] == {"session_id": made.session.session_id}


def test_validate_only_makes_nothing(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """A checked request answers a session without id, state and times of storage."""
    calls = len(served.provider.calls)
    request = first()
    request.validate_only = True
    session = grpc_stub.CreateSession(request).session
    assert (session.session_id, session.state, session.version) == ("", 0, 0)
    assert not session.HasField("create_time")
    assert session.cart == request.cart
    assert len(served.provider.calls) == calls


def test_a_session_is_ended(grpc_stub: CheckoutServiceStub) -> None:
    """ExpireSession answers the ended session; its page may still take payments."""
    made = grpc_stub.CreateSession(first()).session
    ended = grpc_stub.ExpireSession(pb.ExpireSessionRequest(session_id=made.session_id)).session
    assert ended.state == session_pb2.Session.STATE_EXPIRED
    assert ended.provider_link == session_pb2.Session.PROVIDER_LINK_STILL_PAYABLE
    assert ended.checkout_url == ""
    assert ended.HasField("end_time")


def test_sessions_are_listed_page_by_page(grpc_stub: CheckoutServiceStub) -> None:
    """Pages are newest first, and a token leads to the next under the same conditions only."""
    request = first()
    request.reference_id = "paged"
    made = [grpc_stub.CreateSession(request).session.session_id for _ in range(3)]
    ask = pb.ListSessionsRequest(
        reference_id="paged", page_size=2, states=[session_pb2.Session.STATE_OPEN]
    )
    page = grpc_stub.ListSessions(ask)
    ask.page_token = page.next_page_token
    rest = grpc_stub.ListSessions(ask)
    listed = [session.session_id for session in (*page.sessions, *rest.sessions)]
    assert listed == made[::-1]
    assert rest.next_page_token == ""
    ask.reference_id = "other"
    assert refused(lambda: grpc_stub.ListSessions(ask)).fields == ["page_token"]


def test_providers_are_listed(grpc_stub: CheckoutServiceStub) -> None:
    """ListProviders names every account with what it can do."""
    (account,) = grpc_stub.ListProviders(pb.ListProvidersRequest()).accounts
    assert (account.provider, account.account, account.live) == ("scripted", "default", False)
    assert account.capabilities.max_line_items == 3
    assert account.capabilities.max_lifetime.ToTimedelta() == timedelta(hours=24)


def test_a_call_is_logged_and_counted(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """A call through the whole chain leaves one line and its metrics."""
    labels = {"method": GET.removeprefix("/"), "code": "NOT_FOUND", "provider": ""}
    labels["reason"] = "SESSION_NOT_FOUND"
    before = served.count("checkout_grpc_calls_handled_total", **labels)
    refused(lambda: grpc_stub.GetSession(pb.GetSessionRequest(session_id="cs_logged")))
    line = served.line("GetSession", session_id="cs_logged")
    assert (line["level"], line["code"]) == ("info", "NOT_FOUND")
    assert (line["reason"], line["peer"]) == ("SESSION_NOT_FOUND", "127.0.0.0/24")
    assert served.count("checkout_grpc_calls_handled_total", **labels) == before + 1


def test_a_refusal_of_the_provider_keeps_its_words(
    served: Served, grpc_stub: CheckoutServiceStub
) -> None:
    """The provider's code and the field it named reach the caller, with the stored session's id."""
    served.provider.script.append(
        ProviderRejected(
            "the provider refused the request",
            metadata={"provider": "scripted", "provider_code": "NO_STOCK"},
            violations=[Violation("cart.line_items[0].product_id", "unknown")],
        )
    )
    refusal = refused(lambda: grpc_stub.CreateSession(first()))
    assert refusal.code is Code.INVALID_ARGUMENT
    assert refusal.fields == ["cart.line_items[0].product_id"]
    assert refusal.info["metadata"]["provider_code"] == "NO_STOCK"
    assert refusal.info["metadata"]["session_id"].startswith("cs_")


def test_an_unknown_account_is_named(grpc_stub: CheckoutServiceStub) -> None:
    """An account that is not configured is NOT_FOUND, an empty name being "default"."""
    request = first()
    request.provider = "nobody"
    refusal = refused(lambda: grpc_stub.CreateSession(request))
    assert refusal.code is Code.NOT_FOUND
    assert refusal.details["ResourceInfo"]["resourceName"] == "nobody/default"


@pytest.mark.parametrize("method", [GET, "/grpc.health.v1.Health/Check"])
def test_bytes_that_are_no_message_are_refused(grpc_channel: grpc.Channel, method: str) -> None:
    """What cannot be decoded is the caller's fault, told without the decoder's words."""
    refusal = refused(lambda: send(grpc_channel, method, b"\xff\xff\xff"))
    assert refusal.code is Code.INVALID_ARGUMENT
    assert refusal.info["reason"] == "INVALID_REQUEST"
    assert refusal.fields == [""]
    assert "DecodeError" not in refusal.message


def test_text_that_is_not_utf8_is_refused(grpc_channel: grpc.Channel) -> None:
    """A string field must be UTF-8, as the format demands."""
    refusal = refused(lambda: send(grpc_channel, GET, b"\x0a\x02\xc3\x28"))
    assert refusal.code is Code.INVALID_ARGUMENT


def test_a_message_over_our_limit_is_refused(grpc_channel: grpc.Channel) -> None:
    """A large message is refused with the limit, not by the transport without a word."""
    body = pb.GetSessionRequest(session_id="x" * MAX_REQUEST_BYTES).SerializeToString()
    refusal = refused(lambda: send(grpc_channel, GET, body))
    assert refusal.code is Code.INVALID_ARGUMENT
    assert refusal.info["metadata"] == {
        "limit_bytes": str(MAX_REQUEST_BYTES),
        "size_bytes": str(len(body)),
    }


@pytest.mark.parametrize("method", ["/checkout.v1.CheckoutService/Nothing", "/no.Such/Method"])
def test_an_unknown_method_is_unimplemented(grpc_channel: grpc.Channel, method: str) -> None:
    """A method nobody serves answers what gRPC answers."""
    refusal = refused(lambda: send(grpc_channel, method, b""))
    assert (refusal.code, refusal.details) == (Code.UNIMPLEMENTED, {})


def test_a_method_without_an_implementation_is_unimplemented(grpc_channel: grpc.Channel) -> None:
    """What a generated base class leaves out is no bug of ours."""
    refusal = refused(lambda: send(grpc_channel, "/grpc.health.v1.Health/List", b""))
    assert refusal.code is Code.UNIMPLEMENTED


def started(served: Served) -> float:
    """Return how many calls of GetSession have come in."""
    return served.count(
        "checkout_grpc_calls_started_total", method="checkout.v1.CheckoutService/GetSession"
    )


def test_a_caller_that_hangs_up_ends_the_call(
    served: Served, grpc_stub: CheckoutServiceStub
) -> None:
    """A passed deadline is logged as such, and the handler is cancelled."""
    served.get_session.gate = served.closed_gate()
    request = pb.GetSessionRequest(session_id="cs_late")
    begun, patience = started(served), 0.1
    # On a slow machine a deadline may pass before the call has come in.
    while started(served) == begun:
        patience *= 2
        refusal = refused(partial(grpc_stub.GetSession, request, timeout=patience))
        assert refusal.code is Code.DEADLINE_EXCEEDED
    line = served.line("GetSession", session_id="cs_late")
    assert line["code"] in ("DEADLINE_EXCEEDED", "CANCELLED")


@pytest.mark.parametrize("service", ["", "checkout.v1.CheckoutService"])
def test_health_tells_what_it_is_told(
    served: Served, grpc_channel: grpc.Channel, service: str
) -> None:
    """Check and Watch follow the state the application sets, for the server and the service."""
    stub: Any = health_pb2_grpc.HealthStub(grpc_channel)
    ask = health_pb2.HealthCheckRequest(service=service)
    assert stub.Check(ask).status == Health.SERVING
    watch = stub.Watch(ask, timeout=PATIENCE)
    assert next(watch).status == Health.SERVING
    served.run(served.server.set_serving(is_serving=False))
    assert next(watch).status == Health.NOT_SERVING
    assert stub.Check(ask).status == Health.NOT_SERVING
    served.run(served.server.set_serving(is_serving=True))
    assert next(watch).status == Health.SERVING
    watch.cancel()


def test_health_of_an_account(served: Served, grpc_channel: grpc.Channel) -> None:
    """An account whose provider does not answer is not serving, and the server as a whole is."""
    stub: Any = health_pb2_grpc.HealthStub(grpc_channel)
    ask = health_pb2.HealthCheckRequest(service="provider/dodo/default")
    for is_serving, status in ((False, Health.NOT_SERVING), (True, Health.SERVING)):
        served.run(served.server.set_account_serving(ask.service, is_serving))
        assert stub.Check(ask).status == status
        assert stub.Check(health_pb2.HealthCheckRequest()).status == Health.SERVING


def test_health_of_an_unknown_service(grpc_channel: grpc.Channel) -> None:
    """A service that is not served is NOT_FOUND to Check and unknown to Watch."""
    stub: Any = health_pb2_grpc.HealthStub(grpc_channel)
    ask = health_pb2.HealthCheckRequest(service="nobody")
    assert refused(lambda: stub.Check(ask)).code is Code.NOT_FOUND
    watch = stub.Watch(ask, timeout=PATIENCE)
    assert next(watch).status == Health.SERVICE_UNKNOWN
    watch.cancel()


def test_a_stop_finishes_calls_and_refuses_new_ones(tmp_path: Path) -> None:
    """While one call runs, others are told SHUTTING_DOWN; a watch of health does not hold it up."""
    served = Served(tmp_path)
    served.start()
    served.get_session.gate = gate = served.closed_gate()
    with grpc.insecure_channel(served.address) as channel:
        stub, changes = CheckoutServiceStub(channel), SimpleQueue[int]()
        running = stub.GetSession.future(pb.GetSessionRequest(session_id="cs_1"), timeout=PATIENCE)
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest())
        changes.put(next(watch).status)
        served.wait_for_call("checkout.v1.CheckoutService/GetSession")
        stopping = served.begin(served.server.stop(timedelta(seconds=PATIENCE)))
        changes.put(next(watch).status)
        refusal = refused(lambda: stub.ListProviders(pb.ListProvidersRequest()))
        assert refusal.info["reason"] == "SHUTTING_DOWN"
        assert not stopping.done()
        served.open(gate)
        assert refused(running.result).code is Code.NOT_FOUND
        stopping.result(PATIENCE)
    assert [changes.get(), changes.get()] == [Health.SERVING, Health.NOT_SERVING]
    served.stop()


def test_a_stop_waits_no_longer_than_its_grace(tmp_path: Path) -> None:
    """A call that does not end is cancelled when the grace is over."""
    served = Served(tmp_path)
    served.start()
    served.get_session.gate = served.closed_gate()
    with grpc.insecure_channel(served.address) as channel:
        stub = CheckoutServiceStub(channel)
        running = stub.GetSession.future(pb.GetSessionRequest(session_id="cs_1"), timeout=PATIENCE)
        served.wait_for_call("checkout.v1.CheckoutService/GetSession")
        served.run(served.server.stop(timedelta(milliseconds=10)))
        assert refused(running.result).code in (Code.UNAVAILABLE, Code.CANCELLED)
    served.stop()
