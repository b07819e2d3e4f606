"""The calls that make a page at a provider, and their emulators: what is tested of one is tested of each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from service.sandbox.app import PREFIX, Sandbox, SandboxSettings, build_sandbox
from service.sandbox.emulator import EmulatedSession
from service.sandbox.registry import EMULATIONS
from tests.e2e.wire.provider import WEBHOOK_SECRET
from tests.e2e.wire.requests import LINE, Fields
from tests.providers.sandbox import free_port, serving

PATIENCE = 20.0
API_TOKEN = "token-of-the-emulators"
PRICED: Fields = {"name": "Shirt", "unit_price": {"amount": 1999, "currency": "USD"}, "quantity": 2}
LINKS = "/v2/online-checkout/payment-links"
CHECKOUTS = "/v2/locations/[^/]+/checkouts"
SESSIONS = "/v2/checkouts/[^/]+/[^/]+/sessions"

CHECKOUT = "/invoicingcheckoutservice/v1/checkouts"
# Clover has no field for our id, so a return address holds it, by which its emulator knows the session.
WHO_PAYS: Fields = {
    "customer": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "phone_number": "+14155550100",
    },
    "success_url": "https://shop.example/{SESSION_ID}/done",
}

INVOICES = "/v2/invoices"
ITS_CHECKOUT = f"{INVOICES}/[^/]+/checkout"
VARIANT: Fields = {"product_id": "4321", "quantity": 1}
BUYER: Fields = {
    "customer": {"email": "ada@example.com"},
    "payment_methods": {"allowed": ["STRIPE"]},
}

NOTHING: Mapping[str, str] = MappingProxyType({})


class Seller(NamedTuple):
    """One call of one provider: its path, a line to sell, own settings beyond its emulator's, and further fields.

    `tells_page` is the path of the request whose answer names the page, where it is another than the first.
    """

    provider: str
    creates: str
    line: Fields
    own: Mapping[str, str] = NOTHING
    others: Mapping[str, Any] = NOTHING
    tells_page: str = ""

    @property
    def create(self) -> str:
        """The requests that make a page."""
        return f"POST {PREFIX}{self.provider}{self.creates}"

    @property
    def page(self) -> str:
        """The requests whose answers name a page."""
        return f"POST {PREFIX}{self.provider}{self.tells_page or self.creates}"

    @property
    def anything_else(self) -> str:
        """The requests that read or end one."""
        return f"(?!({self.create}|{self.page})$).*"

    def fields(self, account: str, buyer: str = "") -> Fields:
        """Return a request to create, of a buyer of its own where one is named."""
        cart = {"line_items": [self.line]}
        fields = {"provider": self.provider, "account": account, "cart": cart, **self.others}
        if buyer and "customer" in fields:
            fields["customer"] = {**fields["customer"], "email": f"{buyer}@example.com"}
        return fields

    def settings(self, address: str, account: str, **others: str) -> dict[str, str]:
        """Return the environment that configures an account at an emulator."""
        prefix = f"CHECKOUT_PROVIDERS__{self.provider.upper()}__{account.upper()}__"
        base_url = f"http://{address}{PREFIX}{self.provider}"
        own = {**EMULATIONS[self.provider].own_settings, **self.own}
        values = {"base_url": base_url, "api_key": API_TOKEN, **own, **others}
        return {prefix + name.upper(): value for name, value in values.items()}


# One line for each call that an account can be set to.
SELLERS: dict[str, Seller] = {
    "clover": Seller("clover", CHECKOUT, PRICED, others=WHO_PAYS),
    "dodo": Seller("dodo", "/checkouts", LINE),
    "fastspring": Seller("fastspring", SESSIONS, {"product_id": "demo-product", "quantity": 1}),
    "sellapp": Seller("sellapp", INVOICES, VARIANT, others=BUYER, tells_page=ITS_CHECKOUT),
    "square_links": Seller("square", LINKS, PRICED),
    "square_checkouts": Seller("square", CHECKOUTS, PRICED, {"call": "checkouts"}),
}


class Emulators:
    """The emulated providers, in a thread of their own."""

    def __init__(self, sandbox: Sandbox, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self._sandbox = sandbox
        self._loop = loop
        self._known: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Count from here what is made."""
        self._known = frozenset(id_ for provider in EMULATIONS for id_ in self._all(provider))

    def made(self, provider: str) -> list[str]:
        """Return the provider's ids of everything that was made since."""
        return [made for made in self._all(provider) if made not in self._known]

    def _all(self, provider: str) -> list[str]:
        return [s.provider_session_id for s in list(self._sandbox.emulators[provider].sessions())]

    def act(self, provider: str, action: str, session_id: str) -> EmulatedSession:
        """Be the buyer, who may pay or decline, until every webhook of it has been tried."""
        emulator = self._sandbox.emulators[provider]

        async def run() -> EmulatedSession:
            deliveries = getattr(emulator, action)(session_id)
            await asyncio.gather(*(delivery.tried.wait() for delivery in deliveries))
            return emulator.session(session_id)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)


@contextmanager
def emulators(public_address: str = "", webhooks: str = "") -> Iterator[Emulators]:
    """Run every emulator.

    `public_address` is what they say of themselves, where it is not their own; `webhooks` is the base of
    where they send events, without which they send none.
    """
    listener, url = free_port()
    address = url.removeprefix("http://")
    settings = SandboxSettings(
        public_url=f"http://{public_address or address}{PREFIX}".rstrip("/"),
        api_token=API_TOKEN,
        webhook_secret=WEBHOOK_SECRET,
        webhook_urls={name: webhook_url(webhooks, name) for name in EMULATIONS if webhooks},
    )
    numbers = count(1)
    sandbox = build_sandbox(
        settings, clock=lambda: datetime.now(UTC), new_id=lambda: f"{next(numbers):08d}"
    )
    loop = asyncio.new_event_loop()

    async def begin() -> AsyncExitStack:
        stack = AsyncExitStack()
        await stack.enter_async_context(serving(sandbox.standalone(), listener))
        await sandbox.start()
        stack.push_async_callback(sandbox.close)
        return stack

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        stack = asyncio.run_coroutine_threadsafe(begin(), loop).result(PATIENCE)
        try:
            yield Emulators(sandbox, address, loop)
        finally:
            asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def webhook_url(base: str, provider: str) -> str:
    """Return where the events of a provider's default account are sent."""
    return f"{base}/webhooks/{provider}/default"
