"""What operators' tools read: alive, ready, and figures."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from tests.web.conftest import Rules


async def test_process_is_alive(client: aiohttp.ClientSession, rules: Rules) -> None:
    """Liveness does not depend on anything else, so that nobody restarts what would not help."""
    rules.unready = "the store does not answer"
    async with client.get("/livez") as answer:
        assert answer.status == 200


async def test_service_is_ready(client: aiohttp.ClientSession) -> None:
    """A service that takes work says so."""
    async with client.get("/readyz") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ready"}


async def test_unready_service_says_why(client: aiohttp.ClientSession, rules: Rules) -> None:
    """The reason is in the answer."""
    rules.unready = "stopping"
    async with client.get("/readyz") as answer:
        assert answer.status == 503
        assert await answer.json() == {"status": "not ready", "reason": "stopping"}


async def test_failing_check_is_not_ready(client: aiohttp.ClientSession, rules: Rules) -> None:
    """A check that breaks is no proof of readiness, and its text stays inside."""
    rules.unready = RuntimeError("canary")
    async with client.get("/readyz") as answer:
        assert answer.status == 503
        assert "canary" not in await answer.text()


async def test_hanging_check_is_not_ready(
    client: aiohttp.ClientSession, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that does not answer is given up."""
    rules.is_hanging = True
    monkeypatch.setattr("service.web.probes.READY_TIMEOUT", 0.01)
    async with client.get("/readyz") as answer:
        assert (await answer.json())["reason"] == "the check does not answer"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("*/*", "text/plain"), ("application/openmetrics-text", "application/openmetrics-text")],
)
async def test_metrics_are_written_as_asked_for(
    client: aiohttp.ClientSession, registry: CollectorRegistry, accept: str, content_type: str
) -> None:
    """Old and new scrapers read every metric of the registry."""
    Counter("apples", "Apples eaten.", registry=registry).inc(3)
    async with client.get("/metrics", headers={"Accept": accept}) as answer:
        assert answer.status == 200
        assert answer.content_type == content_type
        assert "apples_total 3.0" in await answer.text()
