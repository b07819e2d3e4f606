"""The gRPC servicer that lets a test act as the buyer on any emulated provider."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, timestamp_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc.aio import ServicerContext as Context

from checkout.sandbox.v1 import sandbox_service_pb2 as pb
from checkout.sandbox.v1 import sandbox_service_pb2_grpc as pb_grpc
from service.sandbox.delivery import Delivery, DeliveryState
from service.sandbox.emulator import (
    EmulatedPayment,
    EmulatedSession,
    Emulator,
    SessionEnded,
    SessionState,
    SessionUnknown,
)

DOMAIN = "checkout.sandbox.v1"
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000

STATES: Mapping[SessionState, pb.EmulatedSession.State.ValueType] = {
    SessionState.OPEN: pb.EmulatedSession.STATE_OPEN,
    SessionState.PAID: pb.EmulatedSession.STATE_PAID,
    SessionState.EXPIRED: pb.EmulatedSession.STATE_EXPIRED,
}
DELIVERY_STATES: Mapping[DeliveryState, pb.WebhookDelivery.State.ValueType] = {
    DeliveryState.PENDING: pb.WebhookDelivery.STATE_PENDING,
    DeliveryState.DELIVERED: pb.WebhookDelivery.STATE_DELIVERED,
    DeliveryState.FAILED: pb.WebhookDelivery.STATE_FAILED,
}
ENDED: Mapping[SessionState, tuple[str, str]] = {
    SessionState.PAID: ("SESSION_PAID", "the session is already paid"),
    SessionState.EXPIRED: ("SESSION_EXPIRED", "the session has expired"),
}

Action = Callable[[Emulator, str], tuple[Delivery, ...]]


class SandboxServicer(pb_grpc.SandboxServiceServicer):
    """Serves `checkout.sandbox.v1.SandboxService` over all emulated providers."""

    def __init__(self, emulators: Sequence[Emulator]) -> None:
        self._emulators = tuple(emulators)

    async def ListSessions(
        self,
        request: pb.ListSessionsRequest,
        context: Context[pb.ListSessionsRequest, pb.ListSessionsResponse],
    ) -> pb.ListSessionsResponse:
        """List sessions, newest first."""
        if request.page_size < 0:
            await _refuse(context, "INVALID_REQUEST", "page_size cannot be negative")
        try:
            after = _position(request.page_token)
        except ValueError:
            await _refuse(context, "INVALID_REQUEST", "page_token is not one of ours")
        size = min(request.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        found = list(islice(self._sessions_after(request.provider, after), size + 1))
        return pb.ListSessionsResponse(
            sessions=[_message(session) for session in found[:size]],
            next_page_token=_token(found[size - 1]) if len(found) > size else "",
        )

    async def PaySession(
        self,
        request: pb.PaySessionRequest,
        context: Context[pb.PaySessionRequest, pb.PaySessionResponse],
    ) -> pb.PaySessionResponse:
        """Pay a session."""
        session = await self._act(
            request.session_id, context, lambda emulator, session_id: emulator.pay(session_id)
        )
        return pb.PaySessionResponse(session=session)

    async def DeclineSession(
        self,
        request: pb.DeclineSessionRequest,
        context: Context[pb.DeclineSessionRequest, pb.DeclineSessionResponse],
    ) -> pb.DeclineSessionResponse:
        """Have a payment declined."""
        session = await self._act(
            request.session_id, context, lambda emulator, session_id: emulator.decline(session_id)
        )
        return pb.DeclineSessionResponse(session=session)

    async def AbandonSession(
        self,
        request: pb.AbandonSessionRequest,
        context: Context[pb.AbandonSessionRequest, pb.AbandonSessionResponse],
    ) -> pb.AbandonSessionResponse:
        """Give a session up."""
        session = await self._act(
            request.session_id, context, lambda emulator, session_id: emulator.abandon(session_id)
        )
        return pb.AbandonSessionResponse(session=session)

    async def _act(
        self, session_id: str, context: Context[Any, Any], action: Action
    ) -> pb.EmulatedSession:
        try:
            emulator = self._holder(session_id)
            deliveries = action(emulator, session_id)
            session = emulator.session(session_id)
        except SessionUnknown:
            await _refuse(context, "SESSION_UNKNOWN", _unknown(session_id))
        except SessionEnded as error:
            await _refuse(context, *ENDED[error.state])
        await asyncio.gather(*(delivery.tried.wait() for delivery in deliveries))
        return _message(session)

    def _holder(self, session_id: str) -> Emulator:
        for emulator in self._emulators:
            try:
                emulator.session(session_id)
            except SessionUnknown:
                continue
            return emulator
        raise SessionUnknown(session_id)

    def _sessions_after(
        self, provider: str, after: tuple[datetime, str] | None
    ) -> Iterator[EmulatedSession]:
        chosen = [
            emulator.sessions()
            for emulator in self._emulators
            if provider in {"", emulator.provider}
        ]
        ordered = merge(*chosen, key=lambda session: session.create_time, reverse=True)
        if after is None:
            return ordered
        return _skip(ordered, *after)


def _skip(
    sessions: Iterator[EmulatedSession], at: datetime, last: str
) -> Iterator[EmulatedSession]:
    for session in sessions:
        if session.create_time < at:
            yield session
            break
        if session.provider_session_id == last:
            break
    yield from sessions


def _token(session: EmulatedSession) -> str:
    text = f"{session.create_time.isoformat()} {session.provider_session_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    at, separator, session_id = base64.urlsafe_b64decode(token).decode().partition(" ")
    moment = datetime.fromisoformat(at)
    if not separator or moment.tzinfo is None:
        raise ValueError(token)
    return moment, session_id


def _message(session: EmulatedSession) -> pb.EmulatedSession:
    return pb.EmulatedSession(
        provider=session.provider,
        provider_session_id=session.provider_session_id,
        session_id=session.session_id,
        state=STATES[session.state],
        checkout_url=session.checkout_url,
        amount=session.amount,
        currency=session.currency,
        payments=[_payment(payment) for payment in session.payments],
        create_time=_timestamp(session.create_time),
        expire_time=_timestamp(session.expire_time) if session.expire_time else None,
        webhook_deliveries=[_delivery(delivery) for delivery in session.deliveries],
    )


def _payment(payment: EmulatedPayment) -> pb.EmulatedPayment:
    return pb.EmulatedPayment(
        payment_id=payment.payment_id,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        create_time=_timestamp(payment.create_time),
    )


def _timestamp(at: datetime) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(at)
    return stamp


def _delivery(delivery: Delivery) -> pb.WebhookDelivery:
    return pb.WebhookDelivery(
        webhook_id=delivery.webhook_id,
        event_type=delivery.event_type,
        state=DELIVERY_STATES[delivery.state],
        attempts=delivery.attempts,
        last_http_status=delivery.last_http_status,
    )


CODES: Mapping[str, tuple[grpc.StatusCode, int]] = {
    "INVALID_REQUEST": (grpc.StatusCode.INVALID_ARGUMENT, code_pb2.INVALID_ARGUMENT),
    "SESSION_UNKNOWN": (grpc.StatusCode.NOT_FOUND, code_pb2.NOT_FOUND),
    "SESSION_PAID": (grpc.StatusCode.FAILED_PRECONDITION, code_pb2.FAILED_PRECONDITION),
    "SESSION_EXPIRED": (grpc.StatusCode.FAILED_PRECONDITION, code_pb2.FAILED_PRECONDITION),
}


def _unknown(session_id: str) -> str:
    text = f"no emulated session {session_id!r}"
    if not session_id.startswith("cs_"):
        return text
    # Clover and SellApp are never told the service's id.
    return f"{text}: name it by its provider_session_id, which every emulator knows"


async def _refuse(context: Context[Any, Any], reason: str, message: str) -> NoReturn:
    code, number = CODES[reason]
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    status = status_pb2.Status(code=number, message=message, details=[detail])
    trailer = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, message, trailer)
