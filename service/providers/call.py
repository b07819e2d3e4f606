"""One call to a provider in progress: what was sent of it, what bounds it, and what may be repeated."""

import asyncio
from types import SimpleNamespace

import aiohttp
from aiohttp import ClientSession

from service.core.purpose import Purpose
from service.providers.answers import Answer, Lost, sent_cause, unsent_cause
from service.providers.guard import Passage

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
    ) -> None:
        self.operation = operation
        self.method = method
        self.url = url
        self.data = data
        self.passage = Passage(purpose, now)
        self.sent_is_safe = sent_is_safe
        self.secret = ""
        self.attempt = 0
        self.is_renewed = False
        self.sent = False
        self.queued = False
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
        self.sent = self.queued = False
        self.guard = asyncio.timeout_at(self.limit)
        return self.guard

    def connected(self) -> None:
        """Note that a connection is in use: from here on the request counts as sent."""
        self.sent, self.queued = True, False
        if self._answer_by is None:
            self._answer_by = asyncio.get_running_loop().time() + self._request_timeout
        if not self.guard.expired():
            self.guard.reschedule(self._answer_by)

    def can_wait(self, seconds: float) -> bool:
        """Tell whether there is time for another attempt after a pause."""
        return asyncio.get_running_loop().time() + seconds < min(self.limit, self._repeat_until)


def trace() -> aiohttp.TraceConfig:
    """Return what tells a call, given with its request, of the connection it gets."""
    config = aiohttp.TraceConfig()
    config.on_connection_queued_start.append(_queued)
    config.on_connection_queued_end.append(_dequeued)
    config.on_connection_create_end.append(_connected)
    config.on_connection_reuseconn.append(_connected)
    return config


async def _queued(_: ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.queued = True


async def _dequeued(_: ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.queued = False


async def _connected(_: ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.connected()


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
    if call.queued and isinstance(error, TimeoutError):
        return Lost("no_free_connection", sent=False)
    return Lost(unsent_cause(error), sent=False)
