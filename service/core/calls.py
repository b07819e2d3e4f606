"""Calls to a provider on their way from whoever makes them to the step that stores what came of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct


class CallMade(Struct, frozen=True, kw_only=True):
    """One request to a provider, as its client saw it.

    `began` is of the monotonic clock; it and `latency` are seconds. `outcome` is "answered", or why no answer came.
    What was sent and what came back are personal: only hashes of them are kept.
    """

    operation: str
    outcome: str
    began: float
    latency: float
    attempt: int = 1
    status: int = 0
    provider_request_id: str = ""
    sent: bytes = b""
    received: bytes = b""


_MADE: ContextVar[list[CallMade] | None] = ContextVar("checkout_calls_made", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Gather the calls of this block, and of the tasks it starts: they are made for one session."""
    token = _MADE.set([])
    try:
        yield
    finally:
        _MADE.reset(token)


def note_call(call: CallMade) -> None:
    """Remember a call, where it is made for a session."""
    made = _MADE.get()
    if made is not None:
        made.append(call)


def gathered() -> tuple[CallMade, ...]:
    """Return the calls that were made since the last ones were stored."""
    return tuple(_MADE.get() or ())


def forget_calls() -> None:
    """Forget the calls gathered so far: they are stored."""
    made = _MADE.get()
    if made:
        made.clear()
