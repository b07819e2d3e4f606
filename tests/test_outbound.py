"""What operators are told of the calls to providers."""

import asyncio

from prometheus_client import CollectorRegistry

from service.core.purpose import Purpose
from service.outbound import Outbound
from service.providers.breaker import BreakerState
from service.providers.guard import Watch

NAMES = {"provider": "dodo", "account": "shop"}


def test_attempts_and_waits_are_counted() -> None:
    """Every attempt is timed by how it ended, every wait by what it was for."""
    registry = CollectorRegistry()
    calls = Outbound(registry=registry).account("dodo", "shop")
    assert isinstance(calls, Watch)
    for outcome in ("2xx", "2xx", "breaker_open"):
        calls("create", outcome, 0.25)
    calls.waited(Purpose.RECONCILE, 2.0)
    duration = "checkout_provider_call_duration_seconds"
    labels = NAMES | {"operation": "create", "outcome": "2xx"}
    assert registry.get_sample_value(f"{duration}_count", labels) == 2
    assert registry.get_sample_value(f"{duration}_sum", labels) == 0.5
    labels["outcome"] = "breaker_open"
    assert registry.get_sample_value(f"{duration}_count", labels) == 1
    labels = NAMES | {"purpose": "reconcile"}
    assert registry.get_sample_value("checkout_provider_wait_seconds_sum", labels) == 2


def test_breaker_is_shown_before_anything_happens() -> None:
    """The state of an account's breaker can be read from the start on, and follows it."""
    registry = CollectorRegistry()
    calls = Outbound(registry=registry).account("dodo", "shop")
    shown = [registry.get_sample_value("checkout_provider_breaker_state", NAMES)]
    for state in (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED):
        calls.breaker(state)
        shown.append(registry.get_sample_value("checkout_provider_breaker_state", NAMES))
    assert shown == [0, 2, 1, 0]


async def test_health_is_told_of_changes_only() -> None:
    """Each account is told once, and again when its calls stop or begin to go through."""
    outbound = Outbound(registry=CollectorRegistry())
    shop, other = outbound.account("dodo", "shop"), outbound.account("square", "default")
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def tell(name: str, is_serving: bool) -> None:
        await told.put((name, is_serving))

    watching = asyncio.create_task(outbound.watch(tell))
    assert [await told.get() for _ in range(2)] == [
        ("provider/dodo/shop", True),
        ("provider/square/default", True),
    ]
    shop.breaker(BreakerState.OPEN)
    assert await told.get() == ("provider/dodo/shop", False)
    shop.breaker(BreakerState.HALF_OPEN)
    other.breaker(BreakerState.OPEN)
    assert await told.get() == ("provider/square/default", False)
    shop.breaker(BreakerState.CLOSED)
    assert await told.get() == ("provider/dodo/shop", True)
    watching.cancel()
    await asyncio.wait([watching])
    assert told.empty()
