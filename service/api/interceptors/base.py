"""The one place where calls are intercepted: a chain of interceptors around every handler."""

from __future__ import annotations

import inspect
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio

from service.core.errors import CheckoutError, InvalidRequest
from service.core.model import Violation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from google.protobuf.message import Message

    from service.api.status import Answer

    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
    Proceed = Callable[["Call"], Awaitable[Any]]

_OURS = "/checkout."


class Method:
    """What is called: `name` as package.Service/Method, whether it is part of our contracts, and answers a stream."""

    __slots__ = ("is_ours", "is_stream", "name")

    def __init__(self, path: str, *, is_stream: bool = False) -> None:
        self.name = path.removeprefix("/")
        self.is_ours = path.startswith(_OURS)
        self.is_stream = is_stream


class Call:
    """One call on its way through the chain; whoever learns a fact about it notes it here.

    `request` is the message, the stream of messages, or why the message could not be read.
    """

    __slots__ = ("code", "context", "error", "facts", "log_id", "method", "reason", "request")

    def __init__(self, method: Method, request: Message | CheckoutError, context: Context) -> None:
        self.method = method
        self.request = request
        self.context = context
        self.code = grpc.StatusCode.OK
        self.reason = ""
        self.facts: dict[str, str] = {}
        self.log_id = ""
        self.error: Exception | None = None


class Refused(Exception):
    """A call is answered with an error; the chain sends it once everybody has noted how the call ended."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class Interceptor(Protocol):
    """One concern of every call."""

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Do something before and after `await proceed(call)`, and return its result."""


class Chain(grpc.aio.ServerInterceptor):
    """Puts interceptors, outermost first, around every handler; each handler is wrapped once.

    A method nobody serves has no handler and stays that way: gRPC answers UNIMPLEMENTED.
    """

    def __init__(self, interceptors: Sequence[Interceptor], *, max_request_bytes: int) -> None:
        self._interceptors = tuple(interceptors)
        self._max_request_bytes = max_request_bytes
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Return the wrapped handler of a method, or nothing where there is none."""
        path = handler_call_details.method
        known = self._wrapped.get(path)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = Method(path, is_stream=bool(handler.response_streaming))
        self._wrapped[path] = wrapped = self._wrap(method, handler)
        return wrapped

    def _wrap(self, method: Method, handler: Handler) -> Handler:
        kind, behaviour = _behaviour(handler)
        proceed: Proceed = partial(
            _drive if inspect.isasyncgenfunction(behaviour) else _call, behaviour
        )
        for interceptor in reversed(self._interceptors):
            proceed = partial(interceptor.intercept, proceed=proceed)

        async def run(request: Message | CheckoutError, context: Context) -> Any:  # noqa: ANN401 - any response
            try:
                return await proceed(Call(method, request, context))
            except Refused as refused:
                answer = refused.answer
            # By now the call is counted and in the log: whoever has the answer finds it there.
            return await context.abort(answer.code, answer.message, answer.trailers)

        make: Any = getattr(grpc, f"{kind}_rpc_method_handler")
        wrapped: Handler = make(run, self._reader(handler), _writer(handler))
        return wrapped

    def _reader(self, handler: Handler) -> Callable[[bytes], Any]:
        """Keep the decoder from failing outside the chain, where its text would reach the caller."""
        decode, limit = handler.request_deserializer, self._max_request_bytes
        if decode is None:
            return bytes

        def read(raw: bytes) -> Any:  # noqa: ANN401 - any request
            try:
                return decode(raw) if len(raw) <= limit else _too_large(len(raw), limit)
            except Exception:  # noqa: BLE001 - decoders name no common error
                return _unreadable()

        def read_or_raise(raw: bytes) -> Any:  # noqa: ANN401 - any request
            message = read(raw)
            if isinstance(message, CheckoutError):
                raise message
            return message

        return read_or_raise if handler.request_streaming else read


def _behaviour(handler: Handler) -> tuple[str, Callable[..., Any]]:
    kind = "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
    behaviour: Callable[..., Any] = getattr(handler, kind)
    return kind, behaviour


def _writer(handler: Handler) -> Callable[[Any], bytes] | None:
    encode = handler.response_serializer
    if encode is None or not handler.response_streaming:
        return encode
    # What many streams are sent is encoded once, before it gets here.
    return lambda message: message if isinstance(message, bytes) else encode(message)


async def _call(behaviour: Callable[..., Awaitable[Any]], call: Call) -> Any:  # noqa: ANN401 - any response
    return await behaviour(call.request, call.context)


async def _drive(behaviour: Callable[..., Any], call: Call) -> None:
    async with aclosing(behaviour(call.request, call.context)) as responses:
        async for response in responses:
            await call.context.write(response)


def _unreadable() -> InvalidRequest:
    wrong = Violation("", "the bytes are not a message of this method's request type")
    return InvalidRequest(wrong.description, violations=(wrong,))


def _too_large(size: int, limit: int) -> InvalidRequest:
    wrong = Violation("", f"the message is larger than {limit} bytes")
    return InvalidRequest(
        wrong.description,
        metadata={"limit_bytes": str(limit), "size_bytes": str(size)},
        violations=(wrong,),
    )
