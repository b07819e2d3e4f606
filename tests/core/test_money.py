"""Exact sums, published exponents, refusal instead of rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import money
from service.core.model import AddOn, Cart, Discount, LineItem, Money, Totals, TotalsSource

AMOUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("HUF", 2), ("MGA", 2)],
)
def test_exponents_are_those_of_iso_4217(currency: str, digits: int) -> None:
    """Each currency has the exponent that ISO 4217 publishes."""
    assert digits == money.exponent(currency)


@pytest.mark.parametrize("code", ["XAU", "XXX", "ABC", "usd", ""])
def test_what_has_no_minor_unit_is_refused(code: str) -> None:
    """Metals, test codes and unknown codes have no amounts."""
    with pytest.raises(ValueError, match="not an ISO 4217 currency"):
        money.exponent(code)


@given(st.lists(st.tuples(AMOUNTS, st.integers(0, 1000), AMOUNTS), min_size=1, max_size=5))
def test_total_is_the_exact_sum(lines: list[tuple[int, int, int]]) -> None:
    """The total is the sum of price plus add-ons times quantity, to the last unit."""
    items = tuple(
        LineItem(
            name="n",
            unit_price=Money(price, "EUR"),
            quantity=quantity,
            add_ons=(AddOn(name="a", price=Money(extra, "EUR")),),
        )
        for price, quantity, extra in lines
    )
    expected = sum((price + extra) * quantity for price, quantity, extra in lines)
    cart = Cart(line_items=items)
    if expected > money.MAX_AMOUNT:
        assert [violation.field for violation in money.violations(cart)] == ["cart"]
    else:
        assert Money(expected, "EUR") == money.totals(cart).total
        assert money.violations(cart) == []


def test_one_currency_wherever_an_amount_stands() -> None:
    """Every amount of another currency than the first is named."""
    dollar, yen = Money(1, "USD"), Money(1, "JPY")
    line = LineItem(
        name="n",
        unit_price=dollar,
        add_ons=(AddOn(name="a", price=yen),),
        discounts=(Discount(amount=yen),),
    )
    cart = Cart(line_items=(line,), discounts=(Discount(amount=yen),), shipping_fee=yen)
    assert [violation.field for violation in money.violations(cart)] == [
        "cart.line_items[0].add_ons[0].price.currency",
        "cart.line_items[0].discounts[0].amount.currency",
        "cart.discounts[0].amount.currency",
        "cart.shipping_fee.currency",
    ]


@pytest.mark.parametrize(
    "cart",
    [
        Cart(line_items=(LineItem(product_id="p"),)),
        Cart(line_items=(LineItem(name="n", unit_price=Money(1, "USD"), decimal_quantity="1.5"),)),
        Cart(
            line_items=(LineItem(name="n", unit_price=Money(1, "USD")),),
            discounts=(Discount(percentage="10"),),
        ),
    ],
)
def test_nothing_is_guessed(cart: Cart) -> None:
    """Where the provider's price or rules enter, there are no figures rather than wrong ones."""
    assert Totals(source=TotalsSource.UNKNOWN) == money.totals(cart)


def test_shipping_is_part_of_the_total() -> None:
    """The shipping fee is added and shown."""
    cart = Cart(
        line_items=(LineItem(name="n", unit_price=Money(100, "USD")),),
        shipping_fee=Money(7, "USD"),
    )
    assert (Money(100, "USD"), Money(107, "USD")) == (
        money.totals(cart).subtotal,
        money.totals(cart).total,
    )
