"""One call to a provider in progress: what was sent of it, what bounds it, and what may be repeated."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import aiohttp

from service.core.purpose import Purpose
from service.providers.answers import Answer, Lost, sent_cause, unsent_cause
from service.providers.guard import Passage

if TYPE_CHECKING:
    import msgspec
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

REPEATABLE_STATUSES = frozenset({429, 500, 502, 503, 504})
REPEATABLE_CAUSES = frozenset({"dns", "connect_failed"})
GATE_STATUSES = frozenset({401, 403, 429})


class Call:
    """One call in progress; times are the event loop's."""

    def __init__(
        self,
        *,
        operation: str,
        method: str,
        url: str,
        data: bytes | None,
        purpose: Purpose,
        now: float,
        connect_by: float,
        repeat_until: float,
        sent_is_safe: bool,
        request_timeout: float,
        shape: msgspec.json.Decoder[Any] | None = None,
    ) -> None:
        self.operation = operation
        self.method = method
        self.url = url
        self.data = data
        self.passage = Passage(purpose, now)
        self.sent_is_safe = sent_is_safe
        self.shape = shape
        self.secret = ""
        self.attempt = 0
        self.is_renewed = False
        self.sent = False
        self.received = b""
        self.guard = asyncio.timeout(None)
        self._connect_by = connect_by
        self._repeat_until = repeat_until
        self._request_timeout = request_timeout
        self._answer_by: float | None = None

    @property
    def limit(self) -> float:
        """The time until which to connect or, once anything was sent, to answer."""
        return self._connect_by if self._answer_by is None else self._answer_by

    def begin(self) -> asyncio.Timeout:
        """Start an attempt, bounded by its limit."""
        self.sent = False
        self.guard = asyncio.timeout_at(self.limit)
        return self.guard

    def connected(self) -> None:
        """Note that a connection is in use: from here on the request counts as sent."""
        self.sent = True
        if self._answer_by is None:
            self._answer_by = asyncio.get_running_loop().time() + self._request_timeout
        if not self.guard.expired():
            self.guard.reschedule(self._answer_by)

    def can_wait(self, seconds: float) -> bool:
        """Tell whether there is time for another attempt after a pause."""
        return asyncio.get_running_loop().time() + seconds < min(self.limit, self._repeat_until)


class Connector(aiohttp.TCPConnector):
    """Tells the call that is being made when it has its connection; a trace tells the same for ten times the cost.

    How many there are at once is not limited here: who waits, waits for a turn.
    """

    def __init__(self) -> None:
        super().__init__(limit=0)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - of aiohttp
    ) -> Connection:
        """Return a connection once it is in use."""
        connection = await super().connect(req, traces, timeout)
        CALL.get().connected()
        return connection


CALL: ContextVar[Call] = ContextVar("checkout_call")
"""The call whose request is being made."""


def is_unknown(outcome: Answer | Lost) -> bool:
    """Tell whether an attempt was sent and nobody knows what it did."""
    return outcome.sent if isinstance(outcome, Lost) else outcome.status >= 500


def tells_nothing(outcome: Answer | Lost) -> bool:
    """Tell whether an attempt ended before the provider looked at the request itself."""
    return not outcome.sent if isinstance(outcome, Lost) else outcome.status in GATE_STATUSES


def may_repeat(call: Call, outcome: Answer | Lost) -> bool:
    """Tell whether another attempt does no harm and may help."""
    if isinstance(outcome, Answer):
        return call.sent_is_safe and outcome.status in REPEATABLE_STATUSES
    if outcome.sent:
        return call.sent_is_safe and outcome.cause != "redirect"
    return outcome.cause in REPEATABLE_CAUSES


def lost_by(error: Exception, call: Call) -> Lost:
    """Return what an exception means for an attempt."""
    if call.sent:
        return Lost(sent_cause(error), sent=True)
    return Lost(unsent_cause(error), sent=False)
