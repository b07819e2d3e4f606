"""Sessions read again until they are what they should become."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from checkout.v1 import checkout_service_pb2, checkout_service_pb2_grpc, session_pb2

Session = session_pb2.Session
Stub: TypeAlias = "checkout_service_pb2_grpc.CheckoutServiceAsyncStub"


async def reached(
    stub: Stub, session_id: str, holds: Callable[[session_pb2.Session], bool]
) -> session_pb2.Session:
    """Read a session until a condition holds, and return it."""
    request = checkout_service_pb2.GetSessionRequest(session_id=session_id)
    async with asyncio.timeout(60):
        while not holds(session := (await stub.GetSession(request, timeout=20)).session):
            await asyncio.sleep(0.02)
    return session


def is_completed(session: session_pb2.Session) -> bool:
    """Tell whether a session is paid."""
    return session.state == Session.STATE_COMPLETED
