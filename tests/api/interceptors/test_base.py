"""The chain: the order of interceptors, and each kind of handler."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import grpc
import grpc.aio
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from service.api.interceptors.base import Call, Chain, Refused
from service.api.status import Answer
from service.core.errors import InvalidRequest
from tests.api.interceptors.passing import GET, PassingContext

if TYPE_CHECKING:
    from service.api.interceptors.base import Handler, Proceed

RAW = pb.GetSessionRequest(session_id="cs_1").SerializeToString()


class Tracing:
    """Notes when it is passed, inwards and outwards."""

    def __init__(self, name: str, trace: list[str]) -> None:
        self._name = name
        self._trace = trace

    async def intercept(self, call: Call, proceed: Proceed) -> object:
        """Note the way in and the way out."""
        self._trace.append(f"{self._name} in")
        try:
            return await proceed(call)
        finally:
            self._trace.append(f"{self._name} out")


async def echo(request: pb.GetSessionRequest, context: object) -> str:
    """Answer a call."""
    return request.session_id


async def generate(request: pb.GetSessionRequest, context: object) -> AsyncIterator[str]:
    """Answer a stream by yielding."""
    yield request.session_id
    yield "more"


async def collect(requests: AsyncIterable[pb.GetSessionRequest], context: PassingContext) -> None:
    """Answer a stream by writing."""
    async for request in requests:
        await context.write(request.session_id)


async def wrapped(handler: object, trace: list[str] | None = None, limit: int = 1024) -> Handler:
    """Return a handler as the server would call it."""
    chain = Chain(
        [Tracing(name, trace if trace is not None else []) for name in ("outer", "inner")],
        max_request_bytes=limit,
    )

    async def continuation(details: grpc.HandlerCallDetails) -> Handler | None:
        return cast("Handler | None", handler)

    details = cast("grpc.HandlerCallDetails", SimpleNamespace(method=GET))
    made = await chain.intercept_service(continuation, details)
    again = await chain.intercept_service(continuation, details)
    assert made is again
    return cast("Handler", made)


def unary() -> object:
    """Return the handler of a plain call."""
    return grpc.unary_unary_rpc_method_handler(
        cast("Any", echo), pb.GetSessionRequest.FromString, None
    )


async def test_the_first_interceptor_is_outermost() -> None:
    """Each interceptor sees the call before and after all those behind it."""
    trace: list[str] = []
    handler: Any = await wrapped(unary(), trace)
    request = handler.request_deserializer(RAW)
    assert await handler.unary_unary(request, PassingContext()) == "cs_1"
    assert trace == ["outer in", "inner in", "inner out", "outer out"]


async def test_a_refusal_is_sent_when_everybody_has_noted_it() -> None:
    """Whoever is told of an error finds the call counted and in the log."""
    trace: list[str] = []

    async def refuse(request: object, context: object) -> None:
        raise Refused(Answer(grpc.StatusCode.NOT_FOUND, "no such session", (), "SESSION_NOT_FOUND"))

    class Context(PassingContext):
        async def abort(
            self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[Any, ...] = ()
        ) -> None:
            trace.append("sent")
            await super().abort(code, details, trailing_metadata)

    unready: Any = grpc.unary_unary_rpc_method_handler(cast("Any", refuse), None, None)
    handler: Any = await wrapped(unready, trace)
    context = Context()
    with pytest.raises(grpc.aio.AbortError):
        await handler.unary_unary(RAW, context)
    assert trace[-2:] == ["outer out", "sent"]
    assert context.aborted == (grpc.StatusCode.NOT_FOUND, "no such session")


async def test_a_method_without_handler_keeps_none() -> None:
    """Nothing is put around what is not there."""
    assert await wrapped(None) is None


async def test_a_generated_stream_is_written() -> None:
    """A handler that yields passes the chain as one that writes."""
    trace: list[str] = []
    handler: Any = await wrapped(
        grpc.unary_stream_rpc_method_handler(
            cast("Any", generate), pb.GetSessionRequest.FromString, None
        ),
        trace,
    )
    context = PassingContext()
    await handler.unary_stream(handler.request_deserializer(RAW), context)
    assert context.written == ["cs_1", "more"]
    assert len(trace) == 4


async def test_a_stream_may_be_written_as_bytes() -> None:
    """What was encoded once for many streams is sent as it is; messages are encoded as ever."""
    handler: Any = await wrapped(
        grpc.unary_stream_rpc_method_handler(
            cast("Any", generate),
            pb.GetSessionRequest.FromString,
            pb.GetSessionRequest.SerializeToString,
        )
    )
    message = pb.GetSessionRequest(session_id="cs_1")
    assert handler.response_serializer(b"encoded") == b"encoded"
    assert handler.response_serializer(message) == RAW


async def test_a_written_stream_stays_one() -> None:
    """A handler that reads and writes by itself is left to do so."""
    handler: Any = await wrapped(
        grpc.stream_stream_rpc_method_handler(
            cast("Any", collect), pb.GetSessionRequest.FromString, None
        )
    )

    async def requests() -> AsyncIterator[pb.GetSessionRequest]:
        yield handler.request_deserializer(RAW)

    context = PassingContext()
    await handler.stream_stream(requests(), context)
    assert context.written == ["cs_1"]


@pytest.mark.parametrize("raw", [b"\xff\xff", RAW * 100], ids=["unreadable", "too large"])
async def test_an_unreadable_message_enters_the_chain_as_an_error(raw: bytes) -> None:
    """Decoding never fails outside the chain; a stream fails where it is read."""
    plain: Any = await wrapped(unary(), limit=100)
    assert isinstance(plain.request_deserializer(raw), InvalidRequest)
    stream: Any = await wrapped(
        grpc.stream_stream_rpc_method_handler(
            cast("Any", collect), pb.GetSessionRequest.FromString, None
        ),
        limit=100,
    )
    with pytest.raises(InvalidRequest):
        stream.request_deserializer(raw)
