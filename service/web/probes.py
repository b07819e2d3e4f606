"""Tells operators' tools how the process is: alive, ready, and in figures."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from service.core.faults import fault
from service.web.answers import json_answer

READY_TIMEOUT = 2.0

Ready = Callable[[], Awaitable[str | None]]
"""Answers None while the service takes work, else the reason why it does not."""


async def livez(_request: web.Request) -> web.Response:
    """Answer as long as the process does."""
    return json_answer(200, {"status": "live"})


class Readiness:
    """Answers `GET /readyz`."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready

    async def answer(self, _request: web.Request) -> web.Response:
        """Answer 503 and a reason while no work should be sent here."""
        reason = await self._reason()
        if reason is None:
            return json_answer(200, {"status": "ready"})
        return json_answer(503, {"status": "not ready", "reason": reason})

    async def _reason(self) -> str | None:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                return await self._ready()
        except TimeoutError:
            return "the check does not answer"
        except Exception as error:  # noqa: BLE001 - a probe answers whatever happens
            structlog.get_logger().error("readiness.failed", **fault(error))
            return "the check failed"


class Metrics:
    """Answers `GET /metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def answer(self, request: web.Request) -> web.Response:
        """Write every metric in the format the scraper asked for."""
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: content_type})
