"""Calls to a service that may die at any of them, and what is read of its sessions from outside."""

from __future__ import annotations

from typing import Any, NamedTuple

import aiohttp
import grpc
import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from service.api.status import DETAILS_KEY
from tests.api.refusals import decoded
from tests.e2e.wire.requests import Fields, create_request
from tests.e2e.wire.webhooks import PATH, Delivery
from tests.torture.lives import Life

Session = session_pb2.Session

TIMEOUT = 20.0


class Refused(NamedTuple):
    """A call that failed: its code, its reason, and the session it names."""

    code: grpc.StatusCode
    reason: str
    session_id: str


def refusal_of(error: grpc.aio.AioRpcError) -> Refused:
    """Read a failed call; one that the service did not answer has no reason."""
    status: Any = dict(error.trailing_metadata() or ()).get(DETAILS_KEY, b"")
    info = decoded(status).get("ErrorInfo", {})
    return Refused(
        error.code(), info.get("reason", ""), info.get("metadata", {}).get("session_id", "")
    )


async def create(
    life: Life, fields: Fields, patience: float = TIMEOUT
) -> pb.CreateSessionResponse | Refused:
    """Create a session."""
    try:
        return await life.stub.CreateSession(create_request(**fields), timeout=patience)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)


async def expire(life: Life, session_id: str) -> Session | Refused:
    """End a session."""
    request = pb.ExpireSessionRequest(session_id=session_id)
    try:
        return (await life.stub.ExpireSession(request, timeout=TIMEOUT)).session
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)


async def read(life: Life, session_id: str) -> Session:
    """Read a session."""
    request = pb.GetSessionRequest(session_id=session_id)
    return (await life.stub.GetSession(request, timeout=TIMEOUT)).session


async def listed(life: Life) -> list[Session]:
    """List all sessions, page by page."""
    found: list[Session] = []
    request = pb.ListSessionsRequest(page_size=1000)
    while True:
        page = await life.stub.ListSessions(request, timeout=TIMEOUT)
        found += page.sessions
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def changes_of(life: Life, session_id: str) -> list[int]:
    """Return the versions that a session's timeline tells as changes, in their order."""
    request = pb.ListSessionEventsRequest(session_id=session_id, page_size=1000)
    page = await life.stub.ListSessionEvents(request, timeout=TIMEOUT)
    return [event.version for event in page.session_events if event.change.types]


async def is_serving(life: Life) -> bool:
    """Ask for a service's health."""
    ask: grpc.aio.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse] = (
        life.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
    )
    answer = await ask(HealthCheckRequest(), timeout=TIMEOUT)
    return answer.status == HealthCheckResponse.SERVING


async def deliver(life: Life, delivery: Delivery) -> tuple[int, list[str]] | None:
    """Send a webhook and return its status and outcomes; None where no answer came."""
    url = f"http://{life.web}{PATH}"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.post(url, data=delivery.body, headers=delivery.headers) as answer,
        ):
            return answer.status, (await answer.json()).get("outcomes", [])
    except (aiohttp.ClientError, OSError):
        return None
