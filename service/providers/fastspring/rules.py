"""FastSpring's rules across fields, which no capability can declare; paths are those of the contract."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from service.core.model import Address, CreateRequest, Customer, LineItem, Money, Violation
from service.providers.fastspring.body import language
from service.providers.fastspring.enums import CURRENCIES, LANGUAGES, PAYMENT_METHODS
from service.providers.fastspring.options import (
    Descriptions,
    FastspringLineItemOptions,
    line_options,
    session_options,
)

MINE = "provider_options.fastspring"
# Their regions are written with two letters.
STATE_COUNTRIES = frozenset({"CA", "US"})


def violations(request: CreateRequest, *, live: bool) -> Iterator[Violation]:
    """Yield everything of FastSpring's own rules that a request breaks on an account of a mode."""
    if session_options(request).live and not live:
        yield Violation(f"{MINE}.live", "this account makes test sessions only")
    yield from _lengths(request.customer or Customer())
    yield from _regions(request.customer or Customer())
    yield from _methods(request)
    yield from _shipping(request)
    spoken = language(request)
    for index, item in enumerate(request.cart.line_items):
        path, options = f"cart.line_items[{index}]", line_options(item)
        yield from _prices(item, options, path)
        yield from _discounts(item, options, path)
        yield from _texts(item, options, path, spoken)


def _lengths(customer: Customer) -> Iterator[Violation]:
    shipping = customer.shipping_address or Address()
    limits = {
        "customer.customer_id": (customer.customer_id, 64),
        "customer.first_name": (customer.first_name, 50),
        "customer.last_name": (customer.last_name, 50),
        "customer.locale": (customer.locale, 5),
        "customer.shipping_address.first_name": (shipping.first_name, 50),
        "customer.shipping_address.last_name": (shipping.last_name, 50),
    }
    for path, (text, most) in limits.items():
        if len(text) > most:
            yield Violation(path, f"fastspring takes at most {most} characters")


def _regions(customer: Customer) -> Iterator[Violation]:
    for name in ("billing_address", "shipping_address"):
        address: Address = getattr(customer, name) or Address()
        if address.country in STATE_COUNTRIES and len(address.region) not in (0, 2):
            text = f"fastspring takes the two letters of a region of {address.country}"
            yield Violation(f"customer.{name}.region", text)


def _methods(request: CreateRequest) -> Iterator[Violation]:
    methods = request.payment_methods
    for name in ("order", "hidden"):
        for number, method in enumerate(getattr(methods, name, ())):
            if method not in PAYMENT_METHODS:
                known = ", ".join(sorted(PAYMENT_METHODS))
                yield Violation(f"payment_methods.{name}[{number}]", f"fastspring knows {known}")


def _shipping(request: CreateRequest) -> Iterator[Violation]:
    fee = request.cart.shipping_fee
    if fee is None:
        return
    if len(request.cart.line_items) > 1:
        text = f"fastspring charges shipping by line: use {MINE}.shipping_fees of each"
        yield Violation("cart.shipping_fee", text)
    elif request.cart.line_items and line_options(request.cart.line_items[0]).shipping_fees:
        yield Violation("cart.shipping_fee", f"the line's {MINE}.shipping_fees say it already")
    yield from _currency("cart.shipping_fee", fee)


def _prices(item: LineItem, options: FastspringLineItemOptions, path: str) -> Iterator[Violation]:
    if options.unit_prices and item.unit_price is None:
        yield Violation(f"{path}.unit_price", f"{MINE}.unit_prices are further ones beside it")
    for number, money in enumerate(options.unit_prices):
        if item.unit_price and money.currency == item.unit_price.currency:
            field = f"{path}.{MINE}.unit_prices[{number}].currency"
            yield Violation(field, "unit_price has this currency already")
    if item.unit_price is not None:
        yield from _currency(f"{path}.unit_price", item.unit_price)
    for number, discount in enumerate(item.discounts):
        if discount.amount is not None:
            yield from _currency(f"{path}.discounts[{number}].amount", discount.amount)
    for name, money in _option_amounts(options):
        yield from _currency(f"{path}.{MINE}.{name}", money)


def _option_amounts(options: FastspringLineItemOptions) -> Iterator[tuple[str, Money]]:
    for name in ("unit_prices", "setup_fees", "eds_fees", "shipping_fees"):
        for number, money in enumerate(getattr(options, name)):
            yield f"{name}[{number}]", money
    for number, discount in enumerate(options.quantity_discounts):
        for place, money in enumerate(discount.amounts):
            yield f"quantity_discounts[{number}].amounts[{place}]", money


def _currency(path: str, money: Money) -> Iterator[Violation]:
    if money.currency not in CURRENCIES:
        yield Violation(f"{path}.currency", f"fastspring does not charge in {money.currency}")


def _discounts(
    item: LineItem, options: FastspringLineItemOptions, path: str
) -> Iterator[Violation]:
    if len(item.discounts) > 1:
        yield Violation(f"{path}.discounts", "fastspring takes one discount for a line")
    for number, discount in enumerate(item.discounts):
        where = f"{path}.discounts[{number}]"
        if discount.percentage and not _is_whole(discount.percentage):
            yield Violation(f"{where}.percentage", "fastspring takes whole numbers from 1 to 100")
        if discount.amount is not None and (item.quantity or 1) > 1:
            text = "fastspring does not say whether it is taken from each unit: use quantity 1"
            yield Violation(f"{where}.amount", text)
    if not options.quantity_discounts:
        return
    least = Counter([1] * bool(item.discounts))
    for number, tier in enumerate(options.quantity_discounts):
        least[tier.min_quantity or 1] += 1
        if least[tier.min_quantity or 1] > 1:
            field = f"{path}.{MINE}.quantity_discounts[{number}].min_quantity"
            yield Violation(field, "another discount holds from this quantity on")


def _is_whole(percentage: str) -> bool:
    value = Decimal(percentage)
    return value == value.to_integral_value() and value >= 1


def _texts(
    item: LineItem, options: FastspringLineItemOptions, path: str, spoken: str
) -> Iterator[Violation]:
    texts = options.descriptions or Descriptions()
    if item.description and spoken not in LANGUAGES:
        yield Violation(f"{path}.description", f"fastspring has no texts in {spoken!r}")
    if item.description and spoken in texts.summary:
        yield Violation(f"{path}.description", f"{MINE}.descriptions.summary says it already")
    for name in ("display", "instructions", "summary"):
        for key in getattr(texts, name):
            if key not in LANGUAGES:
                field = f'{path}.{MINE}.descriptions.{name}["{key}"]'
                yield Violation(field, f"fastspring has texts in {', '.join(sorted(LANGUAGES))}")
