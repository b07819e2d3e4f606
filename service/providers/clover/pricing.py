"""What a request comes to at Clover, whose answers name no amounts, and how far that figure carries."""

from fractions import Fraction

from service.core.model import (
    AmountBasis,
    BuyerChoices,
    CreateRequest,
    LineItem,
    Money,
    Totals,
    TotalsSource,
)
from service.providers.clover.checkout import count, rate

# A rate of 100 %.
WHOLE = 10_000_000
HALF = Fraction(1, 2)


def totals(request: CreateRequest) -> Totals | None:
    """Return the totals with the taxes of the lines; None where there are none, and the core's sums hold.

    How Clover rounds a tax is not published: where that matters, the totals are an estimate.
    """
    items = request.cart.line_items
    if not any(item.taxes for item in items):
        return None
    prices = [item.unit_price for item in items]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return Totals(source=TotalsSource.UNKNOWN)
    currency = known[0].currency
    subtotal = sum(price.amount * count(item) for price, item in zip(known, items, strict=True))
    tax = sum(_tax(item) for item in items)
    is_exact = all(_is_exact(item) for item in items)
    return Totals(
        source=TotalsSource.COMPUTED if is_exact else TotalsSource.ESTIMATED,
        subtotal=Money(subtotal, currency),
        tax=Money(tax, currency),
        total=Money(subtotal + tax, currency),
    )


def amount_basis(request: CreateRequest) -> AmountBasis:
    """Return EXACT; AT_LEAST where tips add to it; NONE for inventory prices and rounded taxes."""
    items = request.cart.line_items
    if any(item.unit_price is None or not _is_exact(item) for item in items):
        return AmountBasis.NONE
    choices = request.buyer_choices or BuyerChoices()
    return AmountBasis.AT_LEAST if choices.tipping else AmountBasis.EXACT


def _is_exact(item: LineItem) -> bool:
    """Tell whether a line's tax is the same however it is rounded: whole already for one unit."""
    if item.unit_price is None or len(item.taxes) > 1:
        return not item.taxes
    return all(item.unit_price.amount * rate(tax) % WHOLE == 0 for tax in item.taxes)


def _tax(item: LineItem) -> int:
    if item.unit_price is None:
        return 0
    price = item.unit_price.amount * count(item)
    return sum(int(Fraction(price * rate(tax), WHOLE) + HALF) for tax in item.taxes)
