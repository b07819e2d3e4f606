"""Clover's rules across fields, which no capability can declare; paths are those of the contract."""

from collections.abc import Iterator

from service.core.model import CreateRequest, Customer, LineItem, Violation
from service.providers.clover.checkout import count, rate

# Clover's documents disagree on which of these a checkout needs. With all of them it meets every version.
NEEDED = ("first_name", "last_name", "email", "phone_number")
URLS = ("success_url", "failure_url", "cancel_url")


def violations(request: CreateRequest, currency: str) -> Iterator[Violation]:
    """Yield everything of Clover's own rules that a request breaks; `currency` is the merchant's."""
    customer = request.customer or Customer()
    for name in NEEDED:
        if not getattr(customer, name).strip():
            yield Violation(f"customer.{name}", "clover needs it")
    for name in URLS:
        url = getattr(request, name)
        if url and not url.startswith("https://"):
            yield Violation(name, "clover sends buyers to https only")
    for index, item in enumerate(request.cart.line_items):
        yield from _line(item, f"cart.line_items[{index}]", currency)
    if request.cart.line_items and all(_is_free(item) for item in request.cart.line_items):
        yield Violation("cart.line_items", "clover takes no checkout with nothing to pay")


def _line(item: LineItem, path: str, currency: str) -> Iterator[Violation]:
    price = item.unit_price
    if price is not None and price.currency != currency:
        yield Violation(f"{path}.unit_price.currency", f"the clover merchant sells in {currency}")
    if price is not None and price.amount < 0:
        yield Violation(f"{path}.unit_price.amount", "clover takes no negative price")
    if item.product_id and item.taxes:
        yield Violation(f"{path}.taxes", "clover taxes an item of its inventory by itself")
    for number, tax in enumerate(item.taxes):
        try:
            rate(tax)
        except (ArithmeticError, ValueError):
            text = "clover takes a percentage with at most five decimals"
            yield Violation(f"{path}.taxes[{number}].percentage", text)


def _is_free(item: LineItem) -> bool:
    return item.unit_price is not None and item.unit_price.amount * count(item) == 0
