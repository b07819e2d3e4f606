"""The body of a create, with every rule that Clover documents or was seen to have, and no other field.

Clover has been seen to take and ignore `discounts` of a line and taxes of the cart, so they are here.
Whether it refuses other unknown fields is not published; the sandbox does, so that a misspelt field is
found here and not in production.
"""

import enum
import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from service.sandbox.clover.catalogue import INVENTORY
from service.sandbox.clover.errors import Refusal

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Text = Annotated[str, Meta(min_length=1)]
HttpsUrl = Annotated[str, Meta(pattern=r"^https://[^\s/?#]+\S*$")]


class Customer(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Who pays, and where the receipt goes."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone_number: str = ""


class TaxRate(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A tax of a line: 100 000 is one percent. A rate given by its id alone is refused."""

    name: Text
    rate: Annotated[int, Meta(ge=0)]


class Modification(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A modifier of an inventory item, seen in code only; it costs nothing here."""

    modifier_ref_uuid: Text


class LineItem(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is sold: an item of the inventory, or a name and a price for one unit in cents."""

    unit_qty: Annotated[int, Meta(ge=1)]
    item_ref_uuid: Text | None = None
    name: Text | None = None
    price: Annotated[int, Meta(ge=0)] | None = None
    note: str = ""
    tax_rates: tuple[TaxRate, ...] = ()
    modifications: tuple[Modification, ...] = ()
    discounts: tuple[object, ...] = ()


class ShoppingCart(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The lines; discounts of the cart are refused, taxes of the cart ignored."""

    line_items: Annotated[tuple[LineItem, ...], Meta(min_length=1)]
    default_tax_rates: object = None
    tax_rates: object = None


class RedirectUrls(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Where the buyer goes afterwards."""

    success: HttpsUrl | None = None
    failure: HttpsUrl | None = None
    cancel: HttpsUrl | None = None


class Tips(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Whether the page asks for a tip."""

    enabled: bool


class CheckoutRequest(
    Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The whole body."""

    customer: Customer
    shopping_cart: ShoppingCart
    redirect_urls: RedirectUrls = RedirectUrls()
    tips: Tips = Tips(enabled=False)
    page_config_uuid: Text | None = None


class CustomerRule(enum.Enum):
    """What a checkout must say of its customer, which Clover's documents do not agree on."""

    ALL_FOUR = "the guide of 2024"
    NAMES_AND_EMAIL = "newer guides, where the merchant asks for customers' details"
    ANY_OF_THREE = "newer guides, where the merchant does not"


def decode(body: bytes, rule: CustomerRule) -> CheckoutRequest:
    """Read a body, or refuse it and say why."""
    try:
        request = msgspec.json.decode(body, type=CheckoutRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, str(error)) from error
    _check_customer(request.customer, rule)
    for index, item in enumerate(request.shopping_cart.line_items):
        _check_line(item, f"shoppingCart.lineItems[{index}]")
    return request


def _check_customer(customer: Customer, rule: CustomerRule) -> None:
    given = {
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "email": customer.email,
    }
    if rule is CustomerRule.ANY_OF_THREE:
        if not any(given.values()):
            raise Refusal(400, "customer needs one of firstName, lastName and email")
    elif rule is CustomerRule.ALL_FOUR:
        given["phoneNumber"] = customer.phone_number
    for name, value in given.items():
        if not value and rule is not CustomerRule.ANY_OF_THREE:
            raise Refusal(400, f"customer.{name} is required")
    if customer.email and not EMAIL.fullmatch(customer.email):
        raise Refusal(400, "customer.email is not an e-mail address")


def _check_line(item: LineItem, path: str) -> None:
    if item.item_ref_uuid is None and (item.name is None or item.price is None):
        raise Refusal(400, f"{path} needs either itemRefUuid or name and price")
    if item.item_ref_uuid is not None and item.item_ref_uuid not in INVENTORY:
        raise Refusal(400, f"{path}.itemRefUuid is not in the inventory of this merchant")
