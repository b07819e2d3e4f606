"""Requests, bodies and names that the tests of the Clover adapter share."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from service.core.model import Cart, CreateRequest, Customer, LineItem, Money, Tax
from service.core.ports import CreateCall

NAMES = {"provider": "clover", "account": "default"}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SESSION_ID = "cs_01jnw8g3z0clover0000000001"
CUSTOMER = Customer(
    first_name="Ada", last_name="Lovelace", email="ada@example.com", phone_number="+14155550100"
)
SHIRT = LineItem(name="Shirt", unit_price=Money(1500, "USD"), quantity=2)


def document(name: str) -> dict[str, Any]:
    """Return a fixture, without the note on its source."""
    path = Path(__file__).with_name("fixtures") / f"{name}.json"
    loaded: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    del loaded["_source"]
    return loaded


def request(*items: LineItem, **fields: object) -> CreateRequest:
    """Return a request of a whole customer for some lines, or for a shirt."""
    settled: dict[str, object] = {"customer": CUSTOMER, "cart": Cart(line_items=items or (SHIRT,))}
    return CreateRequest(provider="clover", **(settled | fields))  # type: ignore[arg-type]


def taxed(price: int, *percentages: str, quantity: int | None = None) -> LineItem:
    """Return a line with taxes."""
    taxes = tuple(Tax(name="Tax", percentage=percentage) for percentage in percentages)
    return LineItem(name="Mug", unit_price=Money(price, "USD"), quantity=quantity, taxes=taxes)


def call(asked: CreateRequest) -> CreateCall:
    """Return the first attempt to create a request."""
    return CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=asked,
        expire_time=NOW + timedelta(minutes=15),
    )
