"""Rate, errors, latency and calls in flight."""

from __future__ import annotations

import grpc
import pytest
from prometheus_client import CollectorRegistry

from checkout.v1 import checkout_service_pb2 as pb
from service.api.interceptors.base import Call
from service.api.interceptors.metrics import Metrics
from tests.api.interceptors.passing import answering, passing, raising

METHOD = "checkout.v1.CheckoutService/GetSession"


@pytest.fixture
def registry() -> CollectorRegistry:
    """Return where metrics are kept."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    """Return the interceptor of a server with one provider."""
    return Metrics(registry=registry, providers=["dodo"])


def handled(registry: CollectorRegistry, **labels: str) -> float | None:
    """Return how many calls ended so."""
    labels = {"method": METHOD, "code": "OK", "reason": "", "provider": "", **labels}
    return registry.get_sample_value("checkout_grpc_calls_handled_total", labels)


async def test_a_call_is_counted_and_timed(metrics: Metrics, registry: CollectorRegistry) -> None:
    """A call counts when it begins and when it ends, with the provider of its session."""
    response = pb.GetSessionResponse()
    response.session.provider = "dodo"
    call, _ = passing()
    assert await metrics.intercept(call, answering(response)) is response
    started = {"method": METHOD}
    assert registry.get_sample_value("checkout_grpc_calls_started_total", started) == 1
    assert handled(registry, provider="dodo") == 1
    seconds = {"method": METHOD, "provider": "dodo"}
    assert registry.get_sample_value("checkout_grpc_call_seconds_count", seconds) == 1


async def test_a_failure_counts_by_code_and_reason(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    """A call that fails counts under what it failed with, and is no longer in flight."""
    call, _ = passing(pb.CreateSessionRequest(provider="dodo"))
    call.code, call.reason = grpc.StatusCode.ABORTED, "REQUEST_IN_FLIGHT"
    with pytest.raises(KeyError):
        await metrics.intercept(call, raising(KeyError()))
    assert handled(registry, code="ABORTED", reason="REQUEST_IN_FLIGHT", provider="dodo") == 1
    in_flight = registry.get_sample_value("checkout_grpc_calls_in_flight", {"method": METHOD})
    assert in_flight == 0


async def test_a_call_is_in_flight_while_it_runs(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    """The gauge counts calls that have begun and not ended."""
    seen: list[float | None] = []

    async def proceed(_: Call) -> None:
        labels = {"method": METHOD}
        seen.append(registry.get_sample_value("checkout_grpc_calls_in_flight", labels))

    await metrics.intercept(passing()[0], proceed)
    assert seen == [1]


async def test_a_made_up_provider_makes_no_label(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    """Callers cannot make time series by naming providers that do not exist."""
    call, _ = passing(pb.CreateSessionRequest(provider="made_up"))
    await metrics.intercept(call, answering())
    assert handled(registry) == 1
