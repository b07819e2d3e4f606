"""Calls that pass an interceptor without a server around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import grpc
import grpc.aio
from google.protobuf.message import Message

from checkout.v1 import checkout_service_pb2 as pb
from service.api.interceptors.base import Call, Method

if TYPE_CHECKING:
    from service.api.interceptors.base import Context

GET = "/checkout.v1.CheckoutService/GetSession"
PEER = "ipv4:10.1.2.3:4567"
CHECK = "/grpc.health.v1.Health/Check"


class PassingContext:
    """What a handler is given by gRPC, as far as interceptors use it."""

    def __init__(self, *, remaining: float | None = None, peer: str = PEER) -> None:
        self.aborted: tuple[grpc.StatusCode, str] | None = None
        self.written: list[object] = []
        self._remaining = remaining
        self._peer = peer

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[Any, ...] = ()
    ) -> None:
        """End the call as gRPC does: by raising."""
        self.aborted = (code, details)
        raise grpc.aio.AbortError

    async def write(self, message: object) -> None:
        """Keep a message of a stream."""
        self.written.append(message)

    def code(self) -> grpc.StatusCode | None:
        """Return what the call was aborted with."""
        return self.aborted[0] if self.aborted else None

    def peer(self) -> str:
        """Return who calls."""
        return self._peer

    def time_remaining(self) -> float | None:
        """Return what is left of the deadline."""
        return self._remaining


def passing(
    request: Message | None = None,
    path: str = GET,
    *,
    remaining: float | None = None,
    peer: str = PEER,
    is_stream: bool = False,
) -> tuple[Call, PassingContext]:
    """Return a call and its context."""
    made = PassingContext(remaining=remaining, peer=peer)
    message = pb.GetSessionRequest(session_id="cs_1") if request is None else request
    return Call(Method(path, is_stream=is_stream), message, cast("Context", made)), made


def answering(response: object = None) -> Callable[[Call], Awaitable[object]]:
    """Return the rest of a chain that answers."""

    async def proceed(call: Call) -> object:
        return response

    return proceed


def raising(error: BaseException) -> Callable[[Call], Awaitable[object]]:
    """Return the rest of a chain that fails."""

    async def proceed(call: Call) -> object:
        raise error

    return proceed
