"""Requests, and documents of SellApp that stand in `fixtures` with their source."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from service.core.model import Cart, CreateRequest, Customer, LineItem, PaymentMethods
from service.core.ports import CreateCall
from tests.providers.sandbox import NOW

EMAIL = "ada@example.com"
STORE = {"store": "demo-store"}
SESSION_ID = "cs_01JNW8G3Z00000000000000000"
SHOP = CreateRequest(
    provider="sellapp",
    cart=Cart(line_items=(LineItem(product_id="4321", quantity=1),)),
    customer=Customer(email=EMAIL),
    payment_methods=PaymentMethods(allowed=("STRIPE",)),
)

JsonObject = dict[str, Any]
NOTHING: Mapping[str, str] = MappingProxyType({})


def selling(*items: LineItem, **fields: object) -> CreateRequest:
    """Return the request with other lines, and with other fields."""
    return msgspec.structs.replace(SHOP, cart=Cart(line_items=items), **fields)


def optioned(**options: object) -> CreateRequest:
    """Return the request with options of SellApp."""
    return msgspec.structs.replace(SHOP, provider_options={"sellapp": options})


def named(invoice_id: str, *items: LineItem) -> CreateRequest:
    """Return a request for the checkout of an invoice that exists."""
    return CreateRequest(
        provider="sellapp",
        cart=Cart(line_items=items or SHOP.cart.line_items),
        provider_options={"sellapp": {"invoice_id": invoice_id}},
    )


def call(request: CreateRequest = SHOP, kept: Mapping[str, str] = NOTHING) -> CreateCall:
    """Return an attempt to create, perhaps gone on with."""
    return CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=request,
        expire_time=NOW + timedelta(hours=1),
        kept=kept,
    )


def fixture(name: str) -> JsonObject:
    """Return a document, without what says where it is from."""
    text = Path(__file__).parent.joinpath("fixtures", f"{name}.json").read_text("utf-8")
    document: JsonObject = json.loads(text)
    document.pop("_source")
    return document


def invoice_with(
    *statuses: tuple[str, str], full_price: str = "1999", **fields: object
) -> JsonObject:
    """Return the documents' invoice with other statuses, given with their times, the current one last."""
    invoice: JsonObject = fixture("checkout")["invoice"]
    entries = [{"status": word, "setAt": at, "updatedAt": at} for word, at in statuses]
    if entries:
        invoice["status"] = {"history": entries[:-1], "status": entries[-1]}
    price = invoice["payment"]["full_price"]
    price["base"] = price["total"]["exclusive"] = price["total"]["inclusive"] = full_price
    return invoice | fields
