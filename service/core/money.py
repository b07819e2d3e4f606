"""Exact sums in minor units, with ISO 4217 exponents from the maintained table of the iso4217 package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import iso4217
from msgspec import Struct

from service.core.model import Money, Totals, TotalsSource, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.core.model import Cart, Discount, LineItem

MAX_AMOUNT = 2**53 - 1


class Currency(Struct, frozen=True, order=True):
    """An ISO 4217 currency that has minor units, and how many decimal digits they have."""

    code: str
    name: str
    exponent: int


def currencies() -> list[Currency]:
    """Return every currency that can be paid in, by code."""
    return sorted(
        Currency(one.code, one.currency_name, one.exponent)
        for one in iso4217.Currency
        if one.exponent is not None
    )


def exponent(currency: str) -> int:
    """Return how many decimal digits the minor unit of an ISO 4217 currency has; raise ValueError otherwise."""
    try:
        digits = iso4217.Currency(currency).exponent
    except ValueError:
        digits = None
    if digits is None:
        raise ValueError(f"{currency} is not an ISO 4217 currency with minor units")
    return digits


def violations(cart: Cart) -> list[Violation]:
    """Return what is wrong with the money of a cart: unknown or several currencies, sums out of range."""
    codes = list(_currencies(cart))
    found = [_unknown(path, code) for path, code in codes if not _known(code)]
    found += [_other(path, codes[0][1]) for path, code in codes if code != codes[0][1]]
    if not found and (subtotal := _subtotal(cart)) is not None:
        total = subtotal + (cart.shipping_fee.amount if cart.shipping_fee else 0)
        if total > MAX_AMOUNT:
            found.append(Violation("cart", f"the total exceeds {MAX_AMOUNT} minor units"))
    return found


def totals(cart: Cart) -> Totals:
    """Return the totals that follow from the cart alone; UNKNOWN where the provider owns a price.

    Discounts, taxes and codes are computed by each provider's own rules, so a cart that has any is UNKNOWN here.
    """
    subtotal, currency = _subtotal(cart), next((code for _, code in _currencies(cart)), "")
    adjusted = cart.discounts or cart.taxes or cart.discount_codes
    if subtotal is None or adjusted or any(i.discounts or i.taxes for i in cart.line_items):
        return Totals(source=TotalsSource.UNKNOWN)
    shipping = cart.shipping_fee
    total = subtotal + (shipping.amount if shipping else 0)
    return Totals(
        source=TotalsSource.COMPUTED,
        subtotal=Money(subtotal, currency),
        shipping=shipping,
        total=Money(total, currency),
    )


def _subtotal(cart: Cart) -> int | None:
    lines = [_line(item) for item in cart.line_items]
    return None if any(line is None for line in lines) else sum(line for line in lines if line)


def _line(item: LineItem) -> int | None:
    price = item.unit_price or item.custom_amount
    if price is None or item.decimal_quantity or any(a.price is None for a in item.add_ons):
        return None
    quantity = 1 if item.quantity is None else item.quantity
    added = sum(
        a.price.amount * (1 if a.quantity is None else a.quantity) for a in item.add_ons if a.price
    )
    return (price.amount + added) * quantity


def _currencies(cart: Cart) -> Iterator[tuple[str, str]]:
    if cart.currency:
        yield "cart.currency", cart.currency
    for path, money in _amounts(cart):
        yield f"{path}.currency", money.currency


def _amounts(cart: Cart) -> Iterator[tuple[str, Money]]:
    for index, item in enumerate(cart.line_items):
        if item.unit_price or item.custom_amount or item.add_ons or item.discounts:
            yield from _line_amounts(item, f"cart.line_items[{index}]")
    yield from _discounts(cart.discounts, "cart")
    if cart.shipping_fee is not None:
        yield "cart.shipping_fee", cart.shipping_fee


def _line_amounts(item: LineItem, path: str) -> Iterator[tuple[str, Money]]:
    if item.unit_price is not None:
        yield f"{path}.unit_price", item.unit_price
    if item.custom_amount is not None:
        yield f"{path}.custom_amount", item.custom_amount
    for number, add_on in enumerate(item.add_ons):
        if add_on.price is not None:
            yield f"{path}.add_ons[{number}].price", add_on.price
    yield from _discounts(item.discounts, path)


def _discounts(discounts: Iterable[Discount], path: str) -> Iterator[tuple[str, Money]]:
    for number, discount in enumerate(discounts):
        if discount.amount is not None:
            yield f"{path}.discounts[{number}].amount", discount.amount


def _known(currency: str) -> bool:
    try:
        exponent(currency)
    except ValueError:
        return False
    return True


def _other(path: str, currency: str) -> Violation:
    return Violation(path, f"a cart has one currency, here {currency}")


def _unknown(path: str, code: str) -> Violation:
    return Violation(path, f"{code} is not an ISO 4217 currency with minor units")
