"""A running sandbox with an emulated SellApp, and the bodies its tests send."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import msgspec

from service.sandbox.app import Sandbox
from service.sandbox.sellapp.catalogue import STORE
from service.sandbox.sellapp.emulator import SellappEmulator
from tests.sandbox.harness import (
    TOKEN,
    Clock,
    Received,
    Receiver,
    staged,
)

INVOICES = "/v2/invoices"

JsonObject = dict[str, Any]


class SellappBench(NamedTuple):
    """A running sandbox and everything around it."""

    sandbox: Sandbox
    sellapp: SellappEmulator
    url: str
    http: aiohttp.ClientSession
    clock: Clock
    receiver: Receiver

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call the emulated API and return the status with the decoded body."""
        sent = {"authorization": f"Bearer {TOKEN}", "x-store": STORE} | dict(headers or {})
        async with self.http.request(
            method, f"{self.url}{path}", json=body, headers=sent
        ) as response:
            return response.status, await response.json()

    async def invoice(self, **fields: object) -> JsonObject:
        """Make an invoice for one product unless the fields say otherwise."""
        status, answer = await self.call("POST", INVOICES, invoice_body(**fields))
        assert status == 201, answer
        made: JsonObject = answer["data"]
        return made

    async def checkout(self, invoice: JsonObject) -> tuple[int, JsonObject]:
        """Ask for the checkout of an invoice."""
        return await self.call("POST", f"{INVOICES}/{invoice['id']}/checkout")

    async def opened(self, **fields: object) -> JsonObject:
        """Make an invoice with its checkout."""
        invoice = await self.invoice(**fields)
        status, answer = await self.checkout(invoice)
        assert status in {200, 201}, answer
        opened: JsonObject = answer["invoice"]
        return opened

    async def read(self, invoice: JsonObject) -> JsonObject:
        """Read an invoice again."""
        status, answer = await self.call("GET", f"{INVOICES}/{invoice['id']}")
        assert status == 200, answer
        found: JsonObject = answer["data"]
        return found

    async def words(self, invoice: JsonObject) -> list[str]:
        """Return every status of an invoice, the current one last."""
        status = (await self.read(invoice))["status"]
        return [entry["status"] for entry in (*status["history"], status["status"])]

    async def refused(self, **fields: object) -> JsonObject:
        """Return what is wrong with an invoice by field."""
        status, answer = await self.call("POST", INVOICES, invoice_body(**fields))
        assert status == 422, answer
        faults: JsonObject = answer["errors"]
        return faults

    def habit(self, **changes: object) -> None:
        """Have SellApp do otherwise where its documents leave it open."""
        self.sellapp.habits = msgspec.structs.replace(self.sellapp.habits, **changes)

    async def page(
        self, path: str, data: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Fetch a page, or send its form, without following redirects: status, text, headers."""
        method = "GET" if data is None else "POST"
        address = path if path.startswith("http") else f"{self.url}{path}"
        async with self.http.request(method, address, data=data, allow_redirects=False) as response:
            return response.status, await response.text(), response.headers

    async def events(self, number: int) -> list[Received]:
        """Wait for so many webhooks."""
        return await self.receiver.wait_for(number)


def invoice_body(**fields: object) -> JsonObject:
    """Build the smallest body of an invoice, with more fields or others; None leaves one out."""
    body = {
        "customer_email": "ada@example.com",
        "payment_method": "STRIPE",
        "product_variants": {"4321": {"quantity": 1}},
    } | fields
    return {name: value for name, value in body.items() if value is not None}


def variants(**quantities: int) -> JsonObject:
    """Build the map of variants, whose numbers are written `v4321`."""
    return {name[1:]: {"quantity": quantity} for name, quantity in quantities.items()}


@asynccontextmanager
async def running(
    *, retention: int = 10_000, has_endpoint: bool = True
) -> AsyncIterator[SellappBench]:
    """Run a sandbox with a receiver for its webhooks."""
    receiver = Receiver()
    async with staged("sellapp", receiver, retention=retention, has_endpoint=has_endpoint) as stage:
        sandbox = stage.sandbox
        sellapp = sandbox.emulators["sellapp"]
        assert isinstance(sellapp, SellappEmulator)
        yield SellappBench(
            sandbox, sellapp, f"{stage.url}/sellapp", stage.http, stage.clock, receiver
        )
