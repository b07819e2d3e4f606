"""Signed webhook delivery with retries, and signatures after the Standard Webhooks specification."""

import asyncio
import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import aiohttp
from standardwebhooks import Webhook

RECEIVER_TIMEOUT = aiohttp.ClientTimeout(total=15)


class DeliveryState(enum.Enum):
    """How far a delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery:
    """One webhook and what became of it."""

    __slots__ = ("attempts", "event_type", "last_http_status", "state", "tried", "webhook_id")

    def __init__(self, *, webhook_id: str, event_type: str) -> None:
        self.webhook_id = webhook_id
        self.event_type = event_type
        self.state = DeliveryState.PENDING
        self.attempts = 0
        self.last_http_status = 0
        self.tried = asyncio.Event()

    def record(self, status: int, *, is_taken: bool) -> None:
        """Count a try and the HTTP status it ended with; 0 means no answer."""
        self.attempts += 1
        self.last_http_status = status
        if is_taken:
            self.state = DeliveryState.DELIVERED
        self.tried.set()


Taken = Callable[[int, str], bool]
"""Tells by the status and text of an answer whether a webhook need not be sent again."""


def is_success(status: int, _: str) -> bool:
    """Take any success for an acknowledgement, as most providers do."""
    return 200 <= status < 300


class Signer(Protocol):
    """Makes the headers of one try of a delivery, its signature among them."""

    def headers(self, *, url: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove where a body comes from."""


class StandardSigner:
    """Signs as the Standard Webhooks specification says."""

    def __init__(self, *, secret: str, clock: Callable[[], datetime]) -> None:
        self._webhook = Webhook(secret)
        self._clock = clock

    def headers(self, *, url: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove where a body comes from, wherever it goes."""
        del url
        now = self._clock()
        return {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(webhook_id, now, body.decode()),
        }


class WebhookSender:
    """Delivers signed webhooks in the background until the receiver takes them."""

    def __init__(
        self,
        *,
        signer: Signer,
        delays: Sequence[float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._signer = signer
        self._delays = tuple(delays)
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the HTTP client; nothing can be sent before."""
        self._client = aiohttp.ClientSession(
            timeout=RECEIVER_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Give up what is still under way and close the HTTP client."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    def send(
        self,
        *,
        url: str,
        webhook_id: str,
        event_type: str,
        body: Callable[[], bytes],
        taken: Taken = is_success,
    ) -> Delivery:
        """Start to deliver; `body` is called before each try, so that every try is up to date."""
        if self._client is None:
            raise RuntimeError("the sandbox is not started")
        delivery = Delivery(webhook_id=webhook_id, event_type=event_type)
        task = asyncio.create_task(self._deliver(self._client, url, delivery, body, taken))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def _deliver(
        self,
        client: aiohttp.ClientSession,
        url: str,
        delivery: Delivery,
        body: Callable[[], bytes],
        taken: Taken,
    ) -> None:
        for delay in self._delays:
            if delay:
                await self._sleep(delay)
            status, text = await self._attempt(client, url, delivery.webhook_id, body())
            delivery.record(status, is_taken=taken(status, text))
            if delivery.state is DeliveryState.DELIVERED:
                return
        delivery.state = DeliveryState.FAILED

    async def _attempt(
        self, client: aiohttp.ClientSession, url: str, webhook_id: str, body: bytes
    ) -> tuple[int, str]:
        headers = self._signer.headers(url=url, webhook_id=webhook_id, body=body)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with client.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return response.status, await response.text(errors="replace")
        return 0, ""
