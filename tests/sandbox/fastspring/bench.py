"""A running sandbox with an emulated FastSpring, and the bodies its tests send."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from aiohttp import encode_basic_auth, web

from service.sandbox.app import Sandbox
from service.sandbox.fastspring.catalogue import CHECKOUT_ID, STORE_ID, USERNAME
from service.sandbox.fastspring.emulator import FastspringEmulator
from tests.sandbox.harness import (
    TOKEN,
    Clock,
    Receiver,
    Waiting,
    staged,
)

SESSIONS = f"/v2/checkouts/{STORE_ID}/{CHECKOUT_ID}/sessions"

JsonObject = dict[str, Any]


class PickyReceiver(Receiver):
    """A webhook endpoint that acknowledges the first events of each batch only, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.acknowledged: list[int] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Take one webhook."""
        answer = await super().handle(request)
        if not self.acknowledged:
            return answer
        events = self.received[-1].event["events"][: self.acknowledged.pop(0)]
        return web.Response(status=202, text="\n".join(event["id"] for event in events))


class FastspringBench(NamedTuple):
    """A running sandbox and everything around it."""

    sandbox: Sandbox
    fastspring: FastspringEmulator
    url: str
    http: aiohttp.ClientSession
    clock: Clock
    waiting: Waiting
    receiver: PickyReceiver

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Call the emulated API and return the status with the decoded body."""
        sent = authorization() | dict(headers or {})
        async with self.http.request(
            method, f"{self.url}{path}", json=body, headers=sent
        ) as response:
            return response.status, await response.json()

    async def good(self, method: str, path: str, body: object = None) -> JsonObject:
        """Call the emulated API and return what a success answers."""
        status, answer = await self.call(method, path, body)
        assert status == (201 if path == SESSIONS else 200), answer
        found: JsonObject = answer
        return found

    async def create(self, **fields: object) -> JsonObject:
        """Create a session for one product unless the fields say otherwise."""
        return await self.good("POST", SESSIONS, body_with(**fields))

    async def refused(self, **fields: object) -> list[tuple[str, str]]:
        """Return code and field of everything that a body is refused for."""
        status, answer = await self.call("POST", SESSIONS, body_with(**fields))
        assert (status, answer["status"]) == (400, "400 BAD_REQUEST"), answer
        return [(error["errorCode"], error["field"]) for error in answer["errors"]]

    async def page(
        self, path: str, data: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Fetch a page, or send its form, without following redirects: status, text, headers."""
        method = "GET" if data is None else "POST"
        address = path if path.startswith("http") else f"{self.url}{path}"
        async with self.http.request(method, address, data=data, allow_redirects=False) as response:
            return response.status, await response.text(), response.headers


def authorization(username: str = USERNAME, password: str = TOKEN) -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"authorization": encode_basic_auth(username, password)}


def item(path: str = "demo-product", **fields: object) -> JsonObject:
    """Build a line of a cart."""
    return {"productPath": path} | fields


def body_with(**fields: object) -> JsonObject:
    """Build the smallest body, with more fields or others."""
    return {"live": False, "cart": {"lineItems": [item()]}} | fields


def cart(*lines: JsonObject, **fields: object) -> JsonObject:
    """Build a cart."""
    return {"lineItems": list(lines or (item(),))} | fields


@asynccontextmanager
async def running(
    *, retention: int = 10_000, has_endpoint: bool = True
) -> AsyncIterator[FastspringBench]:
    """Run a sandbox with a receiver for its webhooks."""
    receiver = PickyReceiver()
    async with staged(
        "fastspring", receiver, retention=retention, has_endpoint=has_endpoint
    ) as stage:
        sandbox = stage.sandbox
        fastspring = sandbox.emulators["fastspring"]
        assert isinstance(fastspring, FastspringEmulator)
        yield FastspringBench(
            sandbox,
            fastspring,
            f"{stage.url}/fastspring",
            stage.http,
            stage.clock,
            stage.waiting,
            receiver,
        )
