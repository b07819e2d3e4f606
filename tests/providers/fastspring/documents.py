"""Fixtures out of FastSpring's documents, decoded as the adapter decodes them, and requests to hold against them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from service.core.model import Cart, CreateRequest, LineItem
from service.core.ports import CreateCall
from service.providers.fastspring.amounts import encoded

FOLDER = Path(__file__).parent / "fixtures"
SESSION_ID = "cs_01JNW8G3Z000000FASTSPRING0"
NAMES = {"provider": "fastspring", "account": "default"}


def document(name: str) -> dict[str, Any]:
    """Return a fresh copy of a documented body."""
    raw = (FOLDER / f"{name}.json").read_bytes()
    body: dict[str, Any] = msgspec.json.Decoder(float_hook=Decimal).decode(raw)["body"]
    return body


def event(name: str, **changes: object) -> dict[str, Any]:
    """Return the only event of a documented batch, its data changed."""
    found: dict[str, Any] = document(name)["events"][0]
    return found | {"data": found["data"] | changes}


def batch(*events: object) -> bytes:
    """Return the body of a webhook."""
    return encoded({"events": events})


def request(*items: LineItem, options: object = None, **fields: object) -> CreateRequest:
    """Return a request for one product unless told otherwise."""
    lines = items or (LineItem(product_id="sample-stuff"),)
    cart = fields.pop("cart", None) or Cart(line_items=lines)
    return CreateRequest(
        provider="fastspring",
        cart=cart,  # type: ignore[arg-type]
        provider_options=None if options is None else {"fastspring": options},
        **fields,  # type: ignore[arg-type]
    )


def line(options: object = None, **fields: object) -> LineItem:
    """Return a line for one product."""
    given = None if options is None else {"fastspring": options}
    made = LineItem(product_id="sample-stuff", provider_options=given)
    return msgspec.structs.replace(made, **fields)


def call(asked: CreateRequest) -> CreateCall:
    """Return the first attempt to create a request."""
    return CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=asked,
        expire_time=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=24),
    )
