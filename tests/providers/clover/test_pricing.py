"""What a request comes to, and how far that figure may be trusted."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import money
from service.core.model import (
    AmountBasis,
    BuyerChoices,
    CreateRequest,
    LineItem,
    Money,
    Totals,
    TotalsSource,
)
from service.providers.clover.checkout import checkout_body
from service.providers.clover.pricing import amount_basis, totals
from service.sandbox.clover.pricing import price
from service.sandbox.clover.request import CustomerRule, decode
from tests.providers.clover.documents import SHIRT, call, request, taxed

STOCKED = LineItem(product_id="item_demo")
CENTS = st.integers(0, 10**7)
PERCENTAGES = st.decimals(min_value=0, max_value=99, places=3).map(str)
COUNTS = st.integers(1, 99)
# Whole dollars and whole percents need no rounding.
LINES = st.one_of(
    st.builds(taxed, CENTS, PERCENTAGES, quantity=COUNTS),
    st.builds(taxed, CENTS.map(lambda n: n * 100), st.integers(0, 99).map(str), quantity=COUNTS),
)


def usd(amount: int) -> Money:
    """Return an amount."""
    return Money(amount, "USD")


def basis(*items: LineItem, **fields: object) -> AmountBasis:
    """Return what a paid amount of these lines would say."""
    return amount_basis(request(*items, **fields))


def test_without_taxes_the_sums_of_the_cart_hold() -> None:
    """Prices are per unit, and nothing is added to them."""
    assert totals(request()) is None
    assert money.totals(request().cart).total == usd(3000)
    assert basis(SHIRT) is AmountBasis.EXACT


def test_a_tax_that_needs_no_rounding_is_computed() -> None:
    """10 % of 1000 is the same however it is rounded."""
    assert totals(request(SHIRT, taxed(1000, "10", quantity=3))) == Totals(
        source=TotalsSource.COMPUTED, subtotal=usd(6000), tax=usd(300), total=usd(6300)
    )
    assert basis(SHIRT, taxed(1000, "10")) is AmountBasis.EXACT


@pytest.mark.parametrize(
    ("line", "tax"),
    [
        # Whole for the line, and not for one unit, which Clover may round first.
        (taxed(1005, "10", quantity=2), 201),
        (taxed(1999, "8.875"), 177),
        (taxed(10, "5"), 1),
        # Nothing says whether one tax is part of what the next is taken from.
        (taxed(1000, "10", "5"), 150),
    ],
)
def test_where_rounding_decides_it_is_an_estimate(line: LineItem, tax: int) -> None:
    """Clover publishes no rule, so the figure is shown and never compared."""
    found = totals(request(line))
    assert found is not None
    assert (found.source, found.tax) == (TotalsSource.ESTIMATED, usd(tax))
    assert basis(line) is AmountBasis.NONE


def test_prices_of_the_inventory_are_clovers() -> None:
    """What is not known here is not compared either."""
    assert totals(request(STOCKED)) is None
    assert totals(request(STOCKED, taxed(1000, "10"))) == Totals(source=TotalsSource.UNKNOWN)
    assert basis(STOCKED, SHIRT) is AmountBasis.NONE


@pytest.mark.parametrize(
    ("tipping", "expected"),
    [(True, AmountBasis.AT_LEAST), (False, AmountBasis.EXACT), (None, AmountBasis.EXACT)],
)
def test_tips_only_add(tipping: bool | None, expected: AmountBasis) -> None:
    """With tips a paid amount may exceed the total."""
    assert basis(SHIRT, buyer_choices=BuyerChoices(tipping=tipping)) is expected


@settings(deadline=None)
@given(st.lists(LINES, min_size=1, max_size=3))
def test_what_is_computed_leaves_no_room(items: list[LineItem]) -> None:
    """Wherever we call it computed, the emulator, written apart, comes to the same."""
    asked: CreateRequest = request(SHIRT, *items)
    ours = totals(asked)
    assert ours is not None
    assert ours.subtotal is not None
    assert ours.tax is not None
    assert ours.total == usd(ours.subtotal.amount + ours.tax.amount)
    body = msgspec.json.encode(checkout_body(call(asked)))
    theirs = price(decode(body, CustomerRule.ALL_FOUR).shopping_cart)
    if ours.source is TotalsSource.COMPUTED:
        assert ours.total == usd(theirs.total)
    else:
        assert abs(ours.tax.amount - theirs.tax) <= sum(item.quantity or 1 for item in items)
