"""The sandbox service finishes Clover's checkouts, which carry no id of ours but in a return address."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as pb
from checkout.sandbox.v1 import sandbox_service_pb2_grpc as pb_grpc
from tests.sandbox.clover.bench import CloverBench

# The stubs' types know an asynchronous client that does not exist at run time.
Stub: TypeAlias = "pb_grpc.SandboxServiceAsyncStub"
State = pb.EmulatedSession
OURS = "cs_01m829qedmyjqydkv6edmkzesr"


@pytest.fixture
async def stub(clover: CloverBench) -> AsyncIterator[Stub]:
    """Serve the sandbox service on a free port and connect to it."""
    server = grpc.aio.server()
    pb_grpc.add_SandboxServiceServicer_to_server(clover.servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield pb_grpc.SandboxServiceStub(channel)
    await server.stop(None)


async def test_a_checkout_is_found_by_clovers_id(clover: CloverBench, stub: Stub) -> None:
    """The id that the session shows as its provider's."""
    session_id = (await clover.create())["checkoutSessionId"]
    paid = (await stub.PaySession(pb.PaySessionRequest(session_id=session_id))).session
    assert (paid.provider, paid.session_id, paid.state) == ("clover", "", State.STATE_PAID)
    assert (paid.amount, paid.currency) == (1000, "USD")
    assert [payment.status for payment in paid.payments] == ["APPROVED"]
    (hook,) = paid.webhook_deliveries
    assert (hook.event_type, hook.last_http_status) == ("PAYMENT", 200)


@pytest.mark.parametrize("place", ["success", "failure", "cancel"])
async def test_our_id_in_a_return_address_leads_there_too(
    clover: CloverBench, stub: Stub, place: str
) -> None:
    """Nothing else of a request can hold it."""
    await clover.create(redirectUrls={place: f"https://shop.example/{OURS}/back"})
    declined = await stub.DeclineSession(pb.DeclineSessionRequest(session_id=OURS))
    assert (declined.session.session_id, declined.session.state) == (OURS, State.STATE_OPEN)
    left = await stub.AbandonSession(pb.AbandonSessionRequest(session_id=OURS))
    assert [payment.status for payment in left.session.payments] == ["DECLINED"]


async def test_an_ended_checkout_takes_nothing_more(clover: CloverBench, stub: Stub) -> None:
    """After fifteen minutes it has expired."""
    session_id = (await clover.create())["checkoutSessionId"]
    clover.clock.forward(minutes=15)
    listed = await stub.ListSessions(pb.ListSessionsRequest(provider="clover"))
    assert [session.state for session in listed.sessions] == [State.STATE_EXPIRED]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.PaySession(pb.PaySessionRequest(session_id=session_id))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
