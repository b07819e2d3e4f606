"""Calls to a provider on their way from whoever makes them to the step that stores what came of them."""

from __future__ import annotations

from contextvars import ContextVar, Token

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


class Gathering:
    """Gathers the calls of a block, and of the tasks it starts: they are made for one session.

    A class of its own because it is entered for every create: a generator costs three times as much.
    """

    __slots__ = ("_token",)
    _token: Token[list[CallMade] | None]

    def __enter__(self) -> None:
        self._token = _MADE.set([])

    def __exit__(self, *_: object) -> None:
        _MADE.reset(self._token)


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
