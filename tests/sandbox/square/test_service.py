"""The sandbox service finishes Square's sessions by the id of the checkout service."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as pb
from checkout.sandbox.v1 import sandbox_service_pb2_grpc as pb_grpc
from tests.sandbox.square.bench import CHECKOUTS, LINKS, SquareBench, checkout_body, order_body

# The stubs' types know an asynchronous client that does not exist at run time.
Stub: TypeAlias = "pb_grpc.SandboxServiceAsyncStub"
State = pb.EmulatedSession


@pytest.fixture
async def stub(square: SquareBench) -> AsyncIterator[Stub]:
    """Serve the sandbox service on a free port and connect to it."""
    server = grpc.aio.server()
    pb_grpc.add_SandboxServiceServicer_to_server(square.sandbox.servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield pb_grpc.SandboxServiceStub(channel)
    await server.stop(None)


@pytest.mark.parametrize(
    "names",
    [
        {"metadata": {"checkout_session_id": "cs_1"}, "reference_id": "order-7"},
        {"reference_id": "cs_1"},
    ],
)
@pytest.mark.parametrize("is_link", [True, False])
async def test_a_session_is_found_by_our_id(
    square: SquareBench, stub: Stub, names: dict[str, object], *, is_link: bool
) -> None:
    """The order's metadata names the session, else its reference does, with either call."""
    order = order_body(**names)
    body = {"order": order} if is_link else checkout_body(order)
    await square.good("POST", LINKS if is_link else CHECKOUTS, body)
    session = (await stub.PaySession(pb.PaySessionRequest(session_id="cs_1"))).session
    assert (session.provider, session.session_id) == ("square", "cs_1")
    assert (session.state, session.amount) == (State.STATE_PAID, 1000)
    assert session.HasField("expire_time") is not is_link
    assert [payment.status for payment in session.payments] == ["COMPLETED"]
    assert {hook.event_type for hook in session.webhook_deliveries} == {
        "payment.created",
        "payment.updated",
        "order.updated",
    }
    assert len(square.receiver.received) == 3


async def test_a_buyer_fails_and_gives_up(square: SquareBench, stub: Stub) -> None:
    """A declined card is an attempt, giving up is none, and the session stays open."""
    link = await square.link()
    declined = await stub.DeclineSession(pb.DeclineSessionRequest(session_id=link["id"]))
    assert [payment.status for payment in declined.session.payments] == ["FAILED"]
    left = await stub.AbandonSession(pb.AbandonSessionRequest(session_id=link["id"]))
    assert (left.session.state, len(left.session.payments)) == (State.STATE_OPEN, 1)


async def test_a_deleted_link_has_expired(square: SquareBench, stub: Stub) -> None:
    """Nothing can be done with it any more."""
    link = await square.link()
    await square.good("DELETE", f"{LINKS}/{link['id']}")
    listed = await stub.ListSessions(pb.ListSessionsRequest(provider="square"))
    assert [session.state for session in listed.sessions] == [State.STATE_EXPIRED]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.PaySession(pb.PaySessionRequest(session_id=link["id"]))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
