"""What a caller may know of an error."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from service.api.interceptors.base import Refused
from service.api.interceptors.errors import Errors
from service.core.errors import SessionNotFound
from tests.api.interceptors.passing import answering, passing, raising

Code = grpc.StatusCode


@pytest.fixture
def errors() -> Errors:
    """Return the interceptor."""
    return Errors(new_log_id=lambda: "log_1")


async def test_a_result_passes(errors: Errors) -> None:
    """A call that succeeds is not touched."""
    call, context = passing()
    assert await errors.intercept(call, answering("result")) == "result"
    assert (call.code, context.aborted) == (Code.OK, None)


async def test_an_error_of_the_rules_is_answered(errors: Errors) -> None:
    """The table's code is to be sent, and noted with reason and facts for those outside."""
    call, context = passing()
    with pytest.raises(Refused) as refused:
        await errors.intercept(call, raising(SessionNotFound("text", session_id="cs_1")))
    assert refused.value.answer[:2] == (Code.NOT_FOUND, "text")
    assert context.aborted is None
    assert (call.code, call.reason) == (Code.NOT_FOUND, "SESSION_NOT_FOUND")
    assert call.facts == {"session_id": "cs_1"}


async def test_a_bug_is_answered_with_a_fixed_text(errors: Errors) -> None:
    """The exception stays inside; its log id goes out."""
    call, _ = passing()
    bug = KeyError("secret")
    with pytest.raises(Refused) as refused:
        await errors.intercept(call, raising(bug))
    assert refused.value.answer[:2] == (Code.INTERNAL, "internal error")
    assert (call.error, call.log_id, call.reason) == (bug, "log_1", "INTERNAL")


@pytest.mark.parametrize(
    ("remaining", "code"),
    [(None, Code.CANCELLED), (5.0, Code.CANCELLED), (0.0, Code.DEADLINE_EXCEEDED)],
)
async def test_cancellation_passes(
    errors: Errors, remaining: float | None, code: grpc.StatusCode
) -> None:
    """A cancelled handler stays cancelled; the deadline tells why it was."""
    call, context = passing(remaining=remaining)
    with pytest.raises(asyncio.CancelledError):
        await errors.intercept(call, raising(asyncio.CancelledError()))
    assert (call.code, context.aborted) == (code, None)


async def test_an_abort_of_a_handler_passes(errors: Errors) -> None:
    """A servicer that is not ours may abort by itself; the code is noted."""
    call, context = passing()

    async def proceed(_: object) -> None:
        await context.abort(Code.NOT_FOUND, "")

    with pytest.raises(grpc.aio.AbortError):
        await errors.intercept(call, proceed)
    assert (call.code, call.reason) == (Code.NOT_FOUND, "")


async def test_a_broken_connection_counts_as_cancelled(errors: Errors) -> None:
    """A write that fails because the caller is gone is nobody's bug."""
    call, _ = passing()
    with pytest.raises(grpc.aio.InternalError):
        await errors.intercept(call, raising(grpc.aio.InternalError()))
    assert (call.code, call.error) == (Code.CANCELLED, None)
