"""Tells operators of the calls to providers: how they end, who waits, and which accounts are shut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, Histogram

from service.providers.breaker import BreakerState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.core.purpose import Purpose


class Outbound:
    """The metrics of all accounts' calls, and the health of each account."""

    def __init__(self, *, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "checkout_provider_call_duration_seconds",
            "Time of calls to providers, by how they ended.",
            ("provider", "account", "operation", "outcome"),
            registry=registry,
        )
        self._waits = Histogram(
            "checkout_provider_wait_seconds",
            "Time that calls waited for their turn, where they had to.",
            ("provider", "account", "purpose"),
            registry=registry,
        )
        self._states = Gauge(
            "checkout_provider_breaker_state",
            "The circuit breaker of an account: 0 closed, 1 half-open, 2 open.",
            ("provider", "account"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._serving: dict[str, bool] = {}
        self._changed = asyncio.Event()

    def account(self, provider: str, account: str) -> AccountCalls:
        """Return what is told of the calls of one account."""
        name = f"provider/{provider}/{account}"
        self._note(name, BreakerState.CLOSED)
        return AccountCalls(
            seconds=lambda *labels: self._seconds.labels(provider, account, *labels),
            waits=lambda purpose: self._waits.labels(provider, account, purpose),
            state=self._states.labels(provider, account),
            note=lambda state: self._note(name, state),
        )

    async def watch(self, set_serving: Callable[[str, bool], Awaitable[None]]) -> None:
        """Tell at once, and whenever it changes, which accounts' calls go through, until cancelled."""
        told: dict[str, bool] = {}
        while True:
            await self._changed.wait()
            self._changed.clear()
            for name, is_serving in tuple(self._serving.items()):
                if told.get(name) is not is_serving:
                    told[name] = is_serving
                    await set_serving(name, is_serving)

    def _note(self, name: str, state: BreakerState) -> None:
        self._serving[name] = state is BreakerState.CLOSED
        self._changed.set()


class AccountCalls:
    """Told of every attempt of an account, and of its guard."""

    def __init__(
        self,
        *,
        seconds: Callable[[str, str], Histogram],
        waits: Callable[[str], Histogram],
        state: Gauge,
        note: Callable[[BreakerState], None],
    ) -> None:
        self._seconds = seconds
        self._waits = waits
        self._state = state
        self._note = note
        self._known: dict[tuple[str, str], Histogram] = {}

    def __call__(self, operation: str, outcome: str, seconds: float, /) -> None:
        """Count and time an attempt."""
        # Finding a histogram by its labels costs more than counting.
        found = self._known.get((operation, outcome))
        if found is None:
            self._known[operation, outcome] = found = self._seconds(operation, outcome)
        found.observe(seconds)

    def breaker(self, state: BreakerState, /) -> None:
        """Show the state of the breaker."""
        self._state.set(state)
        self._note(state)

    def waited(self, purpose: Purpose, seconds: float, /) -> None:
        """Count and time a wait for a turn."""
        self._waits(purpose.name.lower()).observe(seconds)
