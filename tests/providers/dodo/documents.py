"""Fixtures out of Dodo's documents, and requests to hold against them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from service.core.model import Address, Cart, CreateRequest, Customer, LineItem
from service.core.ports import CreateCall

FOLDER = Path(__file__).parent / "fixtures"
SESSION_ID = "cs_01JNW8G3Z0000000000000DODO"
NAMES = {"provider": "dodo", "account": "default"}


def document(name: str) -> dict[str, object]:
    """Return a fresh copy of a documented body."""
    body: dict[str, object] = msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())["body"]
    return body


def data_of(name: str, **changes: object) -> dict[str, object]:
    """Return the data of a documented event, changed."""
    data = document(name)["data"]
    assert isinstance(data, dict)
    return data | changes


def request(
    *items: LineItem, options: dict[str, object] | None = None, **fields: object
) -> CreateRequest:
    """Return a request for one product unless told otherwise."""
    lines = items or (LineItem(product_id="pdt_1"),)
    cart = fields.pop("cart", None) or Cart(line_items=lines)
    return CreateRequest(
        provider="dodo",
        cart=cart,  # type: ignore[arg-type]
        provider_options=None if options is None else {"dodo": options},
        **fields,  # type: ignore[arg-type]
    )


def call(asked: CreateRequest) -> CreateCall:
    """Return the first attempt to create a request."""
    return CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=asked,
        expire_time=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=24),
    )


def settled_customer(**changes: object) -> Customer:
    """Return a customer with everything that settles a session at once."""
    address = Address(
        country="US", line1="1 Main St", city="Austin", region="TX", postal_code="78701"
    )
    customer = Customer(email="ada@example.com", billing_address=address)
    return msgspec.structs.replace(customer, **changes)
