"""Counts and times every call."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry

    from service.api.interceptors.base import Call, Proceed

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Ends(NamedTuple):
    handled: Counter
    seconds: Histogram


class Metrics:
    """Keeps rate, errors, latency and calls in flight, by method and by configured provider.

    Label values are bounded: a provider that is not configured counts under the empty name.
    """

    def __init__(self, *, registry: CollectorRegistry, providers: Iterable[str]) -> None:
        self._providers = frozenset(providers)
        self._started = Counter(
            "checkout_grpc_calls_started", "Calls begun.", ("method",), registry=registry
        )
        self._handled = Counter(
            "checkout_grpc_calls_handled",
            "Calls ended.",
            ("method", "code", "reason", "provider"),
            registry=registry,
        )
        self._seconds = Histogram(
            "checkout_grpc_call_seconds",
            "Time from the request's arrival to the end of its handling.",
            ("method", "provider"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "checkout_grpc_calls_in_flight",
            "Calls being handled.",
            ("method",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._beginnings: dict[str, tuple[Counter, Gauge]] = {}
        self._ends: dict[tuple[str, str, str, str], _Ends] = {}

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Measure the call, whatever its end."""
        started, in_flight = self._beginning(call.method.name)
        started.inc()
        in_flight.inc()
        since = perf_counter()
        response = None
        try:
            response = await proceed(call)
        finally:
            in_flight.dec()
            ends = self._end(call, response)
            ends.handled.inc()
            ends.seconds.observe(perf_counter() - since)
        return response

    def _beginning(self, method: str) -> tuple[Counter, Gauge]:
        known = self._beginnings.get(method)
        if known is None:
            known = (self._started.labels(method), self._in_flight.labels(method))
            self._beginnings[method] = known
        return known

    def _end(self, call: Call, response: object) -> _Ends:
        provider = self._provider(call, response) if call.method.is_ours else ""
        key = (call.method.name, call.code.name, call.reason, provider)
        known = self._ends.get(key)
        if known is None:
            seconds = self._seconds.labels(call.method.name, provider)
            self._ends[key] = known = _Ends(self._handled.labels(*key), seconds)
        return known

    def _provider(self, call: Call, response: object) -> str:
        session = getattr(response, "session", None)
        source = call.request if session is None else session
        found = call.facts.get("provider", "") or getattr(source, "provider", "")
        return found if found in self._providers else ""
