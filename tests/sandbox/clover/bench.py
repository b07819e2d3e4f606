"""A running sandbox with an emulated Clover, and the bodies its tests send."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from service.sandbox.clover.emulator import CloverEmulator
from service.sandbox.service import SandboxServicer
from tests.sandbox.harness import (
    TOKEN,
    Clock,
    Receiver,
    Waiting,
    staged,
)

CREATE = "/invoicingcheckoutservice/v1/checkouts"
MERCHANT = "DEMOMERCHANT1"

JsonObject = dict[str, Any]


class CloverBench(NamedTuple):
    """A running sandbox and everything around it."""

    clover: CloverEmulator
    servicer: SandboxServicer
    url: str
    http: aiohttp.ClientSession
    clock: Clock
    waiting: Waiting
    receiver: Receiver

    async def call(
        self, body: object, headers: Mapping[str, str | None] | None = None
    ) -> tuple[int, Any]:
        """Send a create, with headers changed or, where they are None, left out."""
        usual: dict[str, str | None] = {
            "Authorization": f"Bearer {TOKEN}",
            "User-Agent": "tests/1.0 (sandbox)",
            "X-Clover-Merchant-Id": MERCHANT,
        }
        sent = {name: text for name, text in (usual | dict(headers or {})).items() if text}
        skipped = () if "User-Agent" in sent else ("User-Agent",)
        async with self.http.post(
            f"{self.url}{CREATE}", json=body, headers=sent, skip_auto_headers=skipped
        ) as response:
            return response.status, await response.json()

    async def create(self, **fields: object) -> JsonObject:
        """Make a checkout for one line unless the fields say otherwise."""
        status, answer = await self.call(body_with(**fields))
        assert status == 200, answer
        created: JsonObject = answer
        return created

    async def page(
        self, path: str, data: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Fetch a page, or send its form, without following redirects: status, text, headers."""
        method = "GET" if data is None else "POST"
        address = path if path.startswith("http") else f"{self.url}{path}"
        async with self.http.request(method, address, data=data, allow_redirects=False) as response:
            return response.status, await response.text(), response.headers


def line(price: int = 1000, quantity: int = 1, **fields: object) -> JsonObject:
    """Build a line."""
    return {"name": "Item", "price": price, "unitQty": quantity} | fields


def cart(*lines: object, **fields: object) -> JsonObject:
    """Build a cart of some lines, or of one."""
    return {"lineItems": list(lines) or [line()]} | fields


def customer(**fields: object) -> JsonObject:
    """Build a whole customer, with fields changed or, where they are None, left out."""
    whole = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "ada@example.com",
        "phoneNumber": "+14155550100",
    }
    return {name: value for name, value in (whole | fields).items() if value is not None}


def body_with(**fields: object) -> JsonObject:
    """Build the smallest body, with more fields or others."""
    return {"customer": customer(), "shoppingCart": cart()} | fields


@asynccontextmanager
async def running(*, has_endpoint: bool = True) -> AsyncIterator[CloverBench]:
    """Run a sandbox with a receiver for its webhooks."""
    receiver = Receiver()
    async with staged("clover", receiver, has_endpoint=has_endpoint) as stage:
        sandbox = stage.sandbox
        clover = sandbox.emulators["clover"]
        assert isinstance(clover, CloverEmulator)
        yield CloverBench(
            clover,
            sandbox.servicer,
            f"{stage.url}/clover",
            stage.http,
            stage.clock,
            stage.waiting,
            receiver,
        )
