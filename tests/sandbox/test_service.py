"""A test finishes sessions over gRPC, without a browser and without polling."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from checkout.sandbox.v1 import sandbox_service_pb2 as pb
from checkout.sandbox.v1 import sandbox_service_pb2_grpc as pb_grpc
from tests.sandbox.harness import Bench

# The stubs' types know an asynchronous client that does not exist at run time.
Stub: TypeAlias = "pb_grpc.SandboxServiceAsyncStub"


@pytest.fixture
async def stub(bench: Bench) -> AsyncIterator[Stub]:
    """Serve the sandbox service on a free port and connect to it."""
    server = grpc.aio.server()
    pb_grpc.add_SandboxServiceServicer_to_server(bench.sandbox.servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield pb_grpc.SandboxServiceStub(channel)
    await server.stop(None)


State = pb.EmulatedSession
Hook = pb.WebhookDelivery


async def test_paying_ends_a_session(bench: Bench, stub: Stub) -> None:
    """The answer shows the payment and that its webhook has been taken."""
    created = await bench.create(metadata={"checkout_session_id": "cs_1"})
    session = (await stub.PaySession(pb.PaySessionRequest(session_id="cs_1"))).session
    assert session.provider == "dodo"
    assert session.provider_session_id == created["session_id"]
    assert (session.session_id, session.state) == ("cs_1", State.STATE_PAID)
    assert (session.amount, session.currency) == (1999, "USD")
    assert session.checkout_url == created["checkout_url"]
    assert [payment.status for payment in session.payments] == ["succeeded"]
    (delivery,) = session.webhook_deliveries
    assert (delivery.state, delivery.attempts) == (Hook.STATE_DELIVERED, 1)
    assert delivery.last_http_status == 200
    assert len(bench.receiver.received) == 1


async def test_the_providers_id_works_too(bench: Bench, stub: Stub) -> None:
    """A session without an id of ours is found by the provider's."""
    created = await bench.create()
    request = pb.PaySessionRequest(session_id=created["session_id"])
    session = (await stub.PaySession(request)).session
    assert (session.session_id, session.state) == ("", State.STATE_PAID)


async def test_paying_does_not_wait_for_retries(bench: Bench, stub: Stub) -> None:
    """The answer comes after the first try of the webhook, taken or not."""
    bench.receiver.statuses = [503]
    bench.waiting.released.clear()
    created = await bench.create()
    request = pb.PaySessionRequest(session_id=created["session_id"])
    (delivery,) = (await stub.PaySession(request)).session.webhook_deliveries
    assert (delivery.state, delivery.attempts) == (Hook.STATE_PENDING, 1)
    assert delivery.last_http_status == 503


async def test_declining_leaves_the_session_open(bench: Bench, stub: Stub) -> None:
    """After a decline the same session can be abandoned once and paid in the end."""
    created = await bench.create()
    session_id = created["session_id"]
    declined = await stub.DeclineSession(pb.DeclineSessionRequest(session_id=session_id))
    assert declined.session.state == State.STATE_OPEN
    abandoned = await stub.AbandonSession(pb.AbandonSessionRequest(session_id=session_id))
    assert abandoned.session.state == State.STATE_OPEN
    paid = await stub.PaySession(pb.PaySessionRequest(session_id=session_id))
    statuses = [payment.status for payment in paid.session.payments]
    assert statuses == ["failed", "cancelled", "succeeded"]
    events = [delivery.event_type for delivery in paid.session.webhook_deliveries]
    assert events == ["payment.failed", "payment.cancelled", "payment.succeeded"]


async def test_an_unknown_session_is_not_found(stub: Stub) -> None:
    """The error names its reason in the standard detail, and the id that every emulator knows."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.PaySession(pb.PaySessionRequest(session_id="cs_none"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(refused.value) == "SESSION_UNKNOWN"
    assert "provider_session_id" in (refused.value.details() or "")


async def test_an_ended_session_cannot_be_acted_on(bench: Bench, stub: Stub) -> None:
    """Paid and expired sessions are told apart, and nothing happens to either."""
    paid, expired = await bench.create(), await bench.create()
    await stub.PaySession(pb.PaySessionRequest(session_id=paid["session_id"]))
    bench.clock.forward(hours=24)
    for created, expected in ((paid, "SESSION_PAID"), (expired, "SESSION_EXPIRED")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.DeclineSession(pb.DeclineSessionRequest(session_id=created["session_id"]))
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert reason(refused.value) == expected
    listed = await stub.ListSessions(pb.ListSessionsRequest())
    states = [(session.state, len(session.payments)) for session in listed.sessions]
    assert states == [(State.STATE_EXPIRED, 0), (State.STATE_PAID, 1)]


async def test_sessions_are_listed_in_pages(bench: Bench, stub: Stub) -> None:
    """Pages run from the newest session to the oldest, and new sessions do not shift them."""
    made = []
    for _ in range(5):
        made.append((await bench.create())["session_id"])
        bench.clock.forward(seconds=1 if len(made) % 2 else 0)
    first = await stub.ListSessions(pb.ListSessionsRequest(page_size=2))
    await bench.create()
    token = first.next_page_token
    second = await stub.ListSessions(pb.ListSessionsRequest(page_size=2, page_token=token))
    token = second.next_page_token
    third = await stub.ListSessions(pb.ListSessionsRequest(page_size=2, page_token=token))
    pages = [
        [item.provider_session_id for item in page.sessions] for page in (first, second, third)
    ]
    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]]]
    assert third.next_page_token == ""


async def test_sessions_are_listed_by_provider(bench: Bench, stub: Stub) -> None:
    """A filter for a provider without sessions finds none."""
    await bench.create()
    assert len((await stub.ListSessions(pb.ListSessionsRequest(provider="dodo"))).sessions) == 1
    assert len((await stub.ListSessions(pb.ListSessionsRequest(provider="square"))).sessions) == 0


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (0, "x"), (0, "eA==")])
async def test_bad_pages_are_refused(stub: Stub, size: int, token: str) -> None:
    """A negative size and a made-up token are the caller's mistakes."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.ListSessions(pb.ListSessionsRequest(page_size=size, page_token=token))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(refused.value) == "INVALID_REQUEST"


async def test_nothing_about_the_buyer_is_returned(bench: Bench, stub: Stub) -> None:
    """The buyer's data stays at the emulated provider."""
    customer = {"email": "canary@example.com", "name": "Canary Bird"}
    created = await bench.create(customer=customer)
    session = await stub.PaySession(pb.PaySessionRequest(session_id=created["session_id"]))
    assert "canary" not in str(session).lower()


def reason(error: grpc.aio.AioRpcError) -> str:
    """Read the reason out of an error's details."""
    trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(trailer).details[0].Unpack(info)
    assert info.domain == "checkout.sandbox.v1"
    return str(info.reason)
