"""A running sandbox with an emulated Square, and the bodies its tests send."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from service.sandbox.app import Sandbox
from service.sandbox.square.emulator import SquareEmulator
from tests.sandbox.harness import (
    TOKEN,
    Clock,
    Received,
    Receiver,
    Waiting,
    staged,
)

LINKS = "/v2/online-checkout/payment-links"
CHECKOUTS = "/v2/locations/LDEMO/checkouts"

JsonObject = dict[str, Any]


class SquareBench(NamedTuple):
    """A running sandbox and everything around it."""

    sandbox: Sandbox
    square: SquareEmulator
    url: str
    hook_url: str
    http: aiohttp.ClientSession
    clock: Clock
    waiting: Waiting
    receiver: Receiver

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call the emulated API and return the status with the decoded body."""
        sent = {"authorization": f"Bearer {TOKEN}"} | dict(headers or {})
        async with self.http.request(
            method, f"{self.url}{path}", json=body, headers=sent
        ) as response:
            return response.status, await response.json()

    async def good(self, method: str, path: str, body: object = None) -> JsonObject:
        """Call the emulated API and return what a success answers."""
        status, answer = await self.call(method, path, body)
        assert status == 200, answer
        found: JsonObject = answer
        return found

    async def refused(self, method: str, path: str, body: object = None) -> tuple[int, JsonObject]:
        """Call the emulated API and return the status and the only entry of a refusal."""
        status, answer = await self.call(method, path, body)
        assert list(answer) == ["errors"], answer
        (error,) = answer["errors"]
        return status, error

    async def link(self, body: object = None, **fields: object) -> JsonObject:
        """Make a payment link for one line unless the fields say otherwise."""
        answer = await self.good("POST", LINKS, body or link_body(**fields))
        link: JsonObject = answer["payment_link"]
        return link

    async def order_of(self, link: JsonObject) -> JsonObject:
        """Read the order of a link."""
        order: JsonObject = (await self.good("GET", f"/v2/orders/{link['order_id']}"))["order"]
        return order

    async def priced(self, **fields: object) -> JsonObject:
        """Return an order as the creation of a link prices it."""
        answer = await self.good("POST", LINKS, {"order": order_body(**fields)})
        order: JsonObject = answer["related_resources"]["orders"][0]
        return order

    async def page(
        self, path: str, data: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Fetch a page, or send its form, without following redirects: status, text, headers."""
        method = "GET" if data is None else "POST"
        address = path if path.startswith("http") else f"{self.url}{path}"
        async with self.http.request(method, address, data=data, allow_redirects=False) as response:
            return response.status, await response.text(), response.headers

    async def events(self, number: int) -> dict[str, Received]:
        """Wait for so many webhooks and return them by type."""
        return {got.event["type"]: got for got in await self.receiver.wait_for(number)}


def money(amount: int, currency: str = "USD") -> JsonObject:
    """Build an amount."""
    return {"amount": amount, "currency": currency}


def line(amount: int = 1000, quantity: str = "1", **fields: object) -> JsonObject:
    """Build a line of an order."""
    return {"name": "Item", "quantity": quantity, "base_price_money": money(amount)} | fields


def order_body(**fields: object) -> JsonObject:
    """Build the smallest order, with more fields or others."""
    return {"location_id": "LDEMO", "line_items": [line()]} | fields


def link_body(**fields: object) -> JsonObject:
    """Build the smallest body of a link, with more fields or others."""
    return {"order": order_body()} | fields


def checkout_body(order: JsonObject | None = None, **fields: object) -> JsonObject:
    """Build the smallest body of a legacy checkout, with more fields or others."""
    return {"idempotency_key": "key-1", "order": {"order": order or order_body()}} | fields


@asynccontextmanager
async def running(
    *, retention: int = 10_000, has_endpoint: bool = True
) -> AsyncIterator[SquareBench]:
    """Run a sandbox with a receiver for its webhooks."""
    receiver = Receiver()
    async with staged("square", receiver, retention=retention, has_endpoint=has_endpoint) as stage:
        sandbox = stage.sandbox
        square = sandbox.emulators["square"]
        assert isinstance(square, SquareEmulator)
        yield SquareBench(
            sandbox,
            square,
            f"{stage.url}/square",
            stage.hook_url,
            stage.http,
            stage.clock,
            stage.waiting,
            receiver,
        )
