"""Calls to make of a client, and somebody who notes what it tells of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from service.core.errors import ProviderError
from service.core.purpose import Purpose
from service.providers.answers import Answer
from service.providers.breaker import THRESHOLD, BreakerState
from service.providers.http import ProviderHttp
from tests.providers.servers import Misbehaving


class Watching:
    """Notes everything that an account's guard tells of."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.states: list[BreakerState] = []
        self.waits: list[Purpose] = []

    def __call__(self, operation: str, outcome: str, seconds: float, /) -> None:
        """Note how an attempt ended."""
        self.attempts.append(outcome)

    def breaker(self, state: BreakerState, /) -> None:
        """Note a state."""
        self.states.append(state)

    def waited(self, purpose: Purpose, seconds: float, /) -> None:
        """Note a wait."""
        assert seconds >= 0
        self.waits.append(purpose)


async def post(
    http: ProviderHttp, *, safe: bool = False, within: timedelta | None = None
) -> Answer:
    """Create something."""
    return await http.request(
        "create", "POST", "/checkouts", json={}, connect_within=within, sent_is_safe=safe
    )


async def get(http: ProviderHttp, purpose: Purpose | None = None) -> Answer:
    """Read something."""
    return await http.request("retrieve", "GET", "/checkouts/1", sent_is_safe=True, purpose=purpose)


async def fail(http: ProviderHttp, times: int = THRESHOLD) -> None:
    """Let calls fail one after the other."""
    for _ in range(times):
        with suppress(ProviderError):
            assert (await post(http)).status >= 500


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    while not condition():
        await asyncio.sleep(0.001)


def requests(server: Misbehaving) -> int:
    """Return how many requests came in."""
    return len(server.requests)
