"""Turns what a handler raises into what a caller may know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from service.api import status
from service.api.interceptors.base import Refused
from service.core.errors import CheckoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.api.interceptors.base import Call, Proceed


class Errors:
    """Answers a CheckoutError by the status table, and anything else as a bug with a fixed text.

    Without it gRPC would send the text of an unhandled exception to the caller.
    """

    def __init__(self, *, new_log_id: Callable[[], str]) -> None:
        self._new_log_id = new_log_id

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Let results and cancellation pass; refuse on every error."""
        try:
            return await proceed(call)
        except CheckoutError as error:
            call.error = error
            call.facts.update(error.metadata)
            raise _refused(call, status.of_error(error)) from error
        except asyncio.CancelledError:
            call.code = _cancellation(call)
            raise
        except grpc.aio.BaseError:
            # Aborted by a handler of its own, or the caller hung up in mid-stream.
            code: grpc.StatusCode | None = call.context.code()
            call.code = grpc.StatusCode.CANCELLED if code is None else code
            raise
        except Exception as bug:
            if call.context.code() is grpc.StatusCode.UNIMPLEMENTED:
                # A generated base class says so of a method that its servicer lacks.
                call.code = grpc.StatusCode.UNIMPLEMENTED
                await call.context.abort(call.code, "not implemented")
            call.error = bug
            call.log_id = self._new_log_id()
            raise _refused(call, status.of_bug(call.log_id)) from bug


def _refused(call: Call, answer: status.Answer) -> Refused:
    call.code, call.reason = answer.code, answer.reason
    return Refused(answer)


def _cancellation(call: Call) -> grpc.StatusCode:
    remaining: float | None = call.context.time_remaining()
    is_late = remaining is not None and remaining <= 0
    return grpc.StatusCode.DEADLINE_EXCEEDED if is_late else grpc.StatusCode.CANCELLED
