"""A typed client as a caller would write it, checked by mypy against the installed stubs."""

import asyncio

import grpc
import grpc.aio

from checkout.v1 import cart_pb2, checkout_service_pb2, checkout_service_pb2_grpc, session_pb2


def request() -> checkout_service_pb2.CreateSessionRequest:
    """Build the smallest request."""
    line = cart_pb2.LineItem(product_id="pdt_demo", quantity=1)
    return checkout_service_pb2.CreateSessionRequest(
        provider="dodo", cart=cart_pb2.Cart(line_items=[line])
    )


def create(address: str) -> session_pb2.Session:
    """Create a session, waiting for it."""
    with grpc.insecure_channel(address) as channel:
        stub = checkout_service_pb2_grpc.CheckoutServiceStub(channel)
        return stub.CreateSession(request(), timeout=30).session


async def create_without_blocking(address: str) -> str:
    """Create a session on an event loop and return where to send the customer."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = checkout_service_pb2_grpc.CheckoutServiceStub(channel)
        response = await stub.CreateSession(request(), timeout=30)
        return response.session.checkout_url


class Clerk(checkout_service_pb2_grpc.CheckoutServiceServicer):
    """A fake of the service, as a caller's own tests would have it."""

    async def GetSession(  # noqa: N802 - the contract names it
        self,
        request: checkout_service_pb2.GetSessionRequest,
        context: grpc.aio.ServicerContext[
            checkout_service_pb2.GetSessionRequest, checkout_service_pb2.GetSessionResponse
        ],
    ) -> checkout_service_pb2.GetSessionResponse:
        """Answer an open session."""
        session = session_pb2.Session(
            session_id=request.session_id, state=session_pb2.Session.STATE_OPEN
        )
        return checkout_service_pb2.GetSessionResponse(session=session)


def main(address: str) -> None:
    """Create two sessions."""
    print(create(address).session_id, asyncio.run(create_without_blocking(address)))  # noqa: T201
