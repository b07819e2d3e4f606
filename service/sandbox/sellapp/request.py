"""The body of `POST /v2/invoices`: read, and refused by field where SellApp's documents say so."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec

from service.sandbox.sellapp.catalogue import Coupon, Store, Variant
from service.sandbox.sellapp.enums import PAYMENT_METHODS
from service.sandbox.sellapp.errors import JsonObject, invalid, malformed
from service.sandbox.sellapp.pricing import Line, applies
from service.sandbox.sellapp.records import Customer

FIELDS = frozenset(
    {
        "customer_email",
        "payment_method",
        "product_variants",
        "customer_ip",
        "coupon",
        "vat_id",
        "country",
        "affiliate",
        "extra",
    }
)
TEXTS = ("coupon", "vat_id", "country", "affiliate")
NULLABLE = frozenset({"customer_ip", "affiliate"})
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
VARIANTS = "product_variants"

Faults = dict[str, list[str]]


class InvoiceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A checked body."""

    customer: Customer
    payment_method: str
    lines: tuple[Line, ...]
    coupon: Coupon | None
    affiliate: str
    extra: int


def decode(raw: bytes) -> JsonObject:
    """Read a JSON object, or refuse what is none; no body counts as an empty one."""
    if not raw:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise malformed("The body is not a JSON object.") from error


def parse(body: JsonObject, store: Store) -> InvoiceRequest:
    """Check a body against the store, or raise a refusal that names every field at fault."""
    faults: Faults = {}
    for name in body.keys() - FIELDS:
        _add(faults, name, f"The {name} field is not known.")
    given = {name: value for name, value in body.items() if value is not None}
    for name in sorted(body.keys() - given.keys() - NULLABLE):
        _add(faults, name, f"The {name} field must not be null.")
    _check_customer(given, faults)
    _check_method(given, store, faults)
    lines = _lines(given, store, faults)
    coupon = _coupon(given, store, lines, faults)
    extra = _extra(given, lines, faults)
    if faults:
        raise invalid(faults)
    return InvoiceRequest(
        customer=Customer(
            email=given["customer_email"],
            ip=given.get("customer_ip", ""),
            vat_id=given.get("vat_id", ""),
            country=given.get("country", ""),
        ),
        payment_method=given["payment_method"],
        lines=lines,
        coupon=coupon,
        affiliate=given.get("affiliate", ""),
        extra=extra,
    )


def _add(faults: Faults, field: str, text: str) -> None:
    faults.setdefault(field, []).append(text)


def _check_customer(given: JsonObject, faults: Faults) -> None:
    email = given.get("customer_email")
    if email is None:
        _add(faults, "customer_email", "The customer email field is required.")
    elif not isinstance(email, str) or not EMAIL.fullmatch(email):
        _add(faults, "customer_email", "The customer email must be a valid email address.")
    for name in TEXTS:
        if name in given and (not isinstance(given[name], str) or not given[name]):
            _add(faults, name, f"The {name} must be a string.")
    if "customer_ip" in given and not _is_ip(given["customer_ip"]):
        _add(faults, "customer_ip", "The customer ip must be a valid IP address.")


def _is_ip(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ip_address(value))
    except ValueError:
        return False


def _check_method(given: JsonObject, store: Store, faults: Faults) -> None:
    method = given.get("payment_method")
    if method is None:
        _add(faults, "payment_method", "The payment method field is required.")
    elif method not in PAYMENT_METHODS:
        _add(faults, "payment_method", "The selected payment method is invalid.")
    elif method not in store.payment_methods:
        _add(faults, "payment_method", "The payment method is not enabled in this store.")


def _lines(given: JsonObject, store: Store, faults: Faults) -> tuple[Line, ...]:
    chosen = given.get(VARIANTS)
    if not isinstance(chosen, dict) or not chosen:
        _add(faults, VARIANTS, "The product variants field is required.")
        return ()
    found = [_line(key, value, store, faults) for key, value in chosen.items()]
    lines = tuple(line for line in found if line is not None)
    _check_plans(lines, faults)
    if len({line.variant.currency for line in lines}) > 1:
        _add(faults, VARIANTS, "The product variants must have one currency.")
    return lines


def _line(key: str, value: object, store: Store, faults: Faults) -> Line | None:
    path = f"{VARIANTS}.{key}"
    variant = _variant(key, store)
    if variant is None:
        _add(faults, path, "The selected product variant is invalid.")
        return None
    if not isinstance(value, Mapping) or value.keys() - {"quantity"}:
        _add(faults, path, "The product variant must be an object with a quantity.")
        return None
    quantity = value.get("quantity", 1)
    if type(quantity) is not int or quantity < 1:
        _add(faults, f"{path}.quantity", "The quantity must be an integer of at least 1.")
        return None
    return Line(variant, quantity)


def _variant(key: str, store: Store) -> Variant | None:
    return store.variants.get(int(key)) if key.isascii() and key.isdecimal() else None


def _check_plans(lines: tuple[Line, ...], faults: Faults) -> None:
    for line in lines:
        if line.variant.is_plan and len(lines) > 1:
            path = f"{VARIANTS}.{line.variant.variant_id}"
            _add(faults, path, "A subscription must be purchased by itself.")
        if line.variant.is_plan and line.quantity != 1:
            _add(faults, "quantity", "A subscription can only be purchased once.")


def _coupon(
    given: JsonObject, store: Store, lines: tuple[Line, ...], faults: Faults
) -> Coupon | None:
    code = given.get("coupon")
    if not isinstance(code, str):
        return None
    coupon = store.coupons.get(code)
    if coupon is None or not any(applies(coupon, line.variant) for line in lines):
        _add(faults, "coupon", "The coupon cannot be applied to this purchase.")
        return None
    return coupon


def _extra(given: JsonObject, lines: tuple[Line, ...], faults: Faults) -> int:
    extra = given.get("extra")
    if extra is None:
        return 0
    if not isinstance(extra, dict) or extra.keys() != {"amount", "currency"}:
        _add(faults, "extra", "The extra must have an amount and a currency.")
        return 0
    amount = extra["amount"]
    if type(amount) is not int or amount < 0:
        _add(faults, "extra.amount", "The extra amount must be an integer of at least 0.")
        return 0
    if any(line.variant.currency != extra["currency"] for line in lines):
        _add(faults, "extra.currency", "The extra currency must be that of the product variants.")
    return amount
