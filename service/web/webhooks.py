"""Takes providers' webhooks: hands the raw bytes to the rules and answers what became of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from time import perf_counter

import structlog
from aiohttp import web
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.typing import FilteringBoundLogger

from service.core.errors import ProviderNotConfigured, StoreUnavailable, WebhookNotVerified
from service.core.faults import fault
from service.core.webhooks import PartlyTaken, Receipt
from service.web.answers import json_answer, json_error

MAX_BODY_BYTES = 1_048_576
BODY_TIMEOUT = 10.0

PATH = "/webhooks/{provider:[a-z0-9_-]{1,63}}/{account:[a-z0-9_-]{1,63}}"

Receive = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Sequence[Receipt]]]


class Refusal(Struct, frozen=True):
    """Why a webhook was not taken. The provider sends it again after any of these."""

    status: int
    code: str
    message: str


Result = Sequence[Receipt] | PartlyTaken | Refusal

_UNKNOWN = Refusal(404, "unknown_account", "No such provider account is configured here.")
_SLOW = Refusal(408, "body_incomplete", "The body did not arrive in time.")
_LARGE = Refusal(413, "body_too_large", f"A webhook has at most {MAX_BODY_BYTES} bytes.")
_FORGED = Refusal(401, "not_verified", "The signature does not match this account's secrets.")
_UNREADABLE = Refusal(400, "unreadable", "The body is no webhook of this provider.")
_UNAVAILABLE = Refusal(503, "unavailable", "The event cannot be stored now; send it again.")
_FAILED = Refusal(503, "failed", "The event could not be handled now; send it again.")


class WebhookEndpoint:
    """Answers `POST /webhooks/{provider}/{account}`."""

    def __init__(self, *, receive: Receive, registry: CollectorRegistry) -> None:
        self._receive = receive
        self._log: FilteringBoundLogger = structlog.get_logger().bind()
        # Finding a counter by its labels costs more than counting.
        self._counter = cache(
            Counter(
                "checkout_webhooks",
                "Webhook events taken and requests refused, by what became of them.",
                ("provider", "outcome"),
                registry=registry,
            ).labels
        )
        self._duration = cache(
            Histogram(
                "checkout_webhook_duration_seconds",
                "Time from a webhook's headers to its answer.",
                ("provider",),
                registry=registry,
            ).labels
        )

    async def answer(self, request: web.Request) -> web.Response:
        """Answer 200 once every event of the request is durable, 202 with the ids of those that are."""
        start = perf_counter()
        result = await self._take(request)
        seconds = perf_counter() - start
        self._note(request, result, seconds)
        if isinstance(result, Refusal):
            return json_error(result.status, result.code, result.message)
        if isinstance(result, PartlyTaken):
            return web.Response(status=202, text="\n".join(result.event_ids))
        return json_answer(200, {"outcomes": [receipt.value for receipt in result]})

    async def _take(self, request: web.Request) -> Result:
        try:
            body = await _body(request)
        except TimeoutError:
            return _SLOW
        except web.HTTPRequestEntityTooLarge:
            return _LARGE
        return await self._hand_over(request, _headers(request), body)

    async def _hand_over(
        self, request: web.Request, headers: Mapping[str, str], body: bytes
    ) -> Result:
        names = request.match_info
        try:
            return await self._receive(names["provider"], names["account"], headers, body)
        except ProviderNotConfigured:
            return _UNKNOWN
        except WebhookNotVerified:
            return _FORGED
        except ValueError:
            return _UNREADABLE
        except StoreUnavailable:
            return _UNAVAILABLE
        except Exception as error:  # noqa: BLE001 - whatever it is, the provider must send it again
            return self._failed(names["provider"], error)

    def _failed(self, provider: str, error: Exception) -> PartlyTaken | Refusal:
        for failure in error.failures if isinstance(error, PartlyTaken) else (error,):
            self._log.error("webhook.failed", provider=provider, **fault(failure))
        return error if isinstance(error, PartlyTaken) else _FAILED

    def _note(self, request: web.Request, result: Result, seconds: float) -> None:
        if isinstance(result, Refusal):
            status, outcomes = result.status, [result.code]
        elif isinstance(result, PartlyTaken):
            status, outcomes = 202, [receipt.value for receipt in result.receipts]
            outcomes += [_FAILED.code] * len(result.failures)
        else:
            status, outcomes = 200, [receipt.value for receipt in result]
        names = request.match_info
        # Whoever invents provider names must not add a time series for each.
        provider = "unknown" if result is _UNKNOWN else names["provider"]
        for outcome in outcomes:
            self._counter(provider, outcome).inc()
        self._duration(provider).observe(seconds)
        self._log.info(
            "webhook.received",
            provider=names["provider"],
            account=names["account"],
            outcomes=outcomes,
            status=status,
            bytes=request.content_length,
            latency_ms=round(seconds * 1000, 2),
        )


async def _body(request: web.Request) -> bytes:
    if request.content.is_eof():
        # All of it came with the headers, as nearly always: there is nothing to wait for.
        return await request.read()
    async with asyncio.timeout(BODY_TIMEOUT):
        return await request.read()


def _headers(request: web.Request) -> Mapping[str, str]:
    given = request.headers
    headers = {name.lower(): value for name, value in given.items()}
    if len(headers) == len(given):
        return headers
    # A header sent twice is a list (RFC 9110, 5.3), which no signature survives.
    return {name: ", ".join(given.getall(name)) for name in headers}
