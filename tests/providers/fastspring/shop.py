"""The sandbox's account of FastSpring: what it sells, and what its webhooks tell."""

from collections.abc import Sequence

import msgspec

from service.core.model import Cart, CreateRequest, LineItem
from service.core.ports import Provider, ProviderEvent
from service.sandbox.delivery import Delivery
from service.sandbox.fastspring.catalogue import CHECKOUT_ID, STORE_ID, USERNAME
from service.sandbox.fastspring.emulator import FastspringEmulator
from tests.providers.sandbox import NOW, Place

OWN = {"username": USERNAME, "store": STORE_ID, "checkout": CHECKOUT_ID}


def selling(path: str, **fields: object) -> CreateRequest:
    """Return a request for one product."""
    line = LineItem(product_id=path)
    return CreateRequest(
        provider="fastspring",
        cart=Cart(line_items=(msgspec.structs.replace(line, **fields),)),
    )


BASE = selling("demo-product")


def emulator(place: Place) -> FastspringEmulator:
    """Return the emulator of a sandbox."""
    found = place.sandbox.emulators["fastspring"]
    assert isinstance(found, FastspringEmulator)
    return found


async def told(
    provider: Provider, place: Place, deliveries: Sequence[Delivery]
) -> list[ProviderEvent]:
    """Return the events of webhooks once they have arrived."""
    for delivery in deliveries:
        await delivery.tried.wait()
    for hook in place.hooks:
        provider.verify(hook.headers, hook.body, NOW)
    return [event for hook in place.hooks for event in provider.parse(hook.headers, hook.body)]
