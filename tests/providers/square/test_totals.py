"""Totals by Square's published rules: Square's own figures, and what must hold for every order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.model import Discount, Money, Tax
from service.providers.square.totals import (
    Charge,
    Line,
    Order,
    Priced,
    PricedLine,
    apportion,
    gross,
    price,
)

CENTS = st.integers(min_value=0, max_value=10**9)
PERCENTAGES = st.decimals(min_value="0.01", max_value=100, places=2).map(str)
DISCOUNTS = st.lists(
    st.one_of(
        PERCENTAGES.map(lambda text: Discount(percentage=text)),
        CENTS.map(lambda cents: Discount(amount=Money(cents, "USD"))),
    ),
    max_size=3,
)
TAXES = st.lists(
    st.builds(Tax, name=st.just("Tax"), percentage=PERCENTAGES, inclusive=st.booleans()), max_size=3
)
CHARGES = st.lists(
    st.one_of(
        st.builds(Charge, amount=CENTS, taxable=st.booleans()),
        st.builds(Charge, percentage=PERCENTAGES, taxable=st.booleans()),
        st.builds(Charge, percentage=PERCENTAGES, of_total=st.just(value=True)),
    ),
    max_size=3,
)
LINES = st.lists(
    st.builds(Line, gross=CENTS, discounts=DISCOUNTS, taxes=TAXES), min_size=1, max_size=6
)
ORDERS = st.builds(Order, lines=LINES, discounts=DISCOUNTS, taxes=TAXES, charges=CHARGES)

# Without a deadline: a busy machine breaks no rule.
EVERY_TIME = settings(deadline=None, max_examples=50)


def off(amount: int) -> Discount:
    """Return a fixed discount."""
    return Discount(amount=Money(amount, "USD"))


def percent_off(percentage: str) -> Discount:
    """Return a discount by percentage."""
    return Discount(percentage=percentage)


def taxed(percentage: str, *amounts: int, inclusive: bool = False) -> Priced:
    """Price lines under one tax of the order."""
    tax = Tax("Tax", percentage, inclusive)
    return price(Order(lines=[Line(gross=amount) for amount in amounts], taxes=[tax]))


def test_the_published_example_with_everything() -> None:
    """Square's example of creating an order comes out to the cent, line by line."""
    priced = price(
        Order(
            lines=[
                Line(gross=gross(1599, "1")),
                Line(gross=gross(2200 + 50, "2"), discounts=[off(100)]),
            ],
            discounts=[percent_off("5"), percent_off("0.5")],
            taxes=[Tax("Sales Tax", "9")],
        )
    )
    assert priced.lines == (
        PricedLine(gross=1599, discount=87, tax=136, total=1648),
        PricedLine(gross=4500, discount=346, tax=374, total=4528),
    )
    assert (priced.gross, priced.discount, priced.tax, priced.total) == (6099, 433, 510, 6176)


def test_the_published_shares() -> None:
    """Both discounts and the tax of the example are shared as Square shares them."""
    assert apportion(30, [1599, 4500]) == [8, 22]
    assert apportion(303, [1591, 4478]) == [79, 224]
    assert apportion(510, [1512, 4154]) == [136, 374]


def test_half_off() -> None:
    """Square's example of calculating an order."""
    priced = price(Order(lines=[Line(gross=500), Line(gross=600)], discounts=[percent_off("50")]))
    assert [line.discount for line in priced.lines] == [250, 300]
    assert (priced.discount, priced.total) == (550, 550)


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([(500, "1"), (200, "2")], 900),
        ([(500, "1"), (750, "2")], 2000),
        ([(1599, "1"), (2000, "3")], 7599),
        ([(12500, "1")], 12500),
    ],
)
def test_published_orders_without_adjustments(lines: list[tuple[int, str]], total: int) -> None:
    """Prices times quantities, summed."""
    order = Order(lines=[Line(gross=gross(unit, quantity)) for unit, quantity in lines])
    assert price(order).total == total


@pytest.mark.parametrize(
    ("percentage", "amounts", "tax"),
    [
        ("11.75", (600,), 70),
        ("11.75", (3020,), 355),
        ("8.875", (1500, 800, 695, 695), 327),
        ("5", (200,), 10),
    ],
)
def test_taxes_sellers_were_charged(percentage: str, amounts: tuple[int, ...], tax: int) -> None:
    """Halves go to even, nothing is cut off, and an order's tax is rounded once."""
    priced = taxed(percentage, *amounts)
    assert (priced.tax, priced.total) == (tax, sum(amounts) + tax)


def test_an_inclusive_tax_changes_no_total() -> None:
    """Ten per cent inside 1.00 are 0.09."""
    priced = taxed("10", 100, inclusive=True)
    assert (priced.tax, priced.total) == (9, 100)


def test_a_fixed_discount_of_a_line_is_taken_once() -> None:
    """It does not grow with the quantity, and inclusive tax is taken from what is left."""
    line = Line(gross=gross(1500, "2"), discounts=[off(100)], taxes=[Tax("VAT", "7.75", True)])
    priced = price(Order(lines=[line, Line(gross=2500), Line(gross=10500)]))
    assert (priced.lines[0].total, priced.lines[0].tax, priced.total) == (2900, 209, 15900)


def test_charges_come_after_discounts_and_around_taxes() -> None:
    """A charge on the subtotal may be taxed; one on the total contains the tax."""
    priced = price(
        Order(
            lines=[Line(gross=10000)],
            discounts=[percent_off("10")],
            taxes=[Tax("Tax", "10")],
            charges=[
                Charge(percentage="10", taxable=True),
                Charge(amount=500),
                Charge(percentage="1", of_total=True),
            ],
        )
    )
    assert (priced.discount, priced.tax) == (1000, 990)
    assert priced.charge == 900 + 500 + 114
    assert priced.total == 9000 + 990 + 900 + 500 + 114


def test_fractions_of_a_unit_round_half_to_even() -> None:
    """A line of half a unit costs whole minor units."""
    assert [gross(5, "0.5"), gross(7, "0.5"), gross(1000, "1.25")] == [2, 4, 1250]


def test_a_discount_takes_no_more_than_there_is() -> None:
    """Fixed discounts above the price make it nothing."""
    order = Order(
        lines=[Line(gross=300, discounts=[off(500)]), Line(gross=50)], discounts=[off(99)]
    )
    assert price(order).total == 0


def test_a_leftover_unit_goes_to_the_largest_remainder() -> None:
    """At a tie to the earlier line, and never to a line that costs nothing."""
    assert apportion(1, [0, 1, 1]) == [0, 1, 0]
    assert apportion(5, [1, 3, 3]) == [1, 2, 2]
    assert apportion(4, [0, 0]) == [0, 0]


@EVERY_TIME
@given(ORDERS)
def test_lines_and_charges_add_up_to_the_order(order: Order) -> None:
    """Every figure of the order is the sum of its parts."""
    priced = price(order)
    assert priced.gross == sum(line.gross for line in priced.lines)
    assert priced.discount == sum(line.discount for line in priced.lines)
    of_charges = priced.total - priced.charge - sum(line.total for line in priced.lines)
    assert of_charges >= 0
    if not any(charge.taxable for charge in order.charges):
        assert of_charges == 0
        assert priced.tax == sum(line.tax for line in priced.lines)


@EVERY_TIME
@given(ORDERS)
def test_nothing_is_negative_and_no_discount_exceeds_its_line(order: Order) -> None:
    """Whatever is taken off, a line costs at least nothing."""
    for line in price(order).lines:
        assert 0 <= line.discount <= line.gross
        assert line.tax >= 0
        assert line.total >= line.gross - line.discount


@EVERY_TIME
@given(CENTS, st.lists(CENTS, min_size=1, max_size=9))
def test_shares_are_exact_and_near(amount: int, weights: list[int]) -> None:
    """Shares sum to the amount, differ by less than one from the exact ones, and favour no one."""
    shares = apportion(amount, weights)
    if not sum(weights):
        assert shares == [0] * len(weights)
        return
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - amount * weight) < sum(weights)
        assert weight or not share


@EVERY_TIME
@given(LINES, PERCENTAGES)
def test_only_inclusive_taxes_leave_the_total(lines: list[Line], percentage: str) -> None:
    """Without additive taxes the total is what discounts left."""
    taxes = [Tax("VAT", percentage, inclusive=True)]
    plain = [Line(gross=line.gross, discounts=line.discounts) for line in lines]
    assert price(Order(lines=plain, taxes=taxes)).total == price(Order(lines=plain)).total


@EVERY_TIME
@given(LINES, PERCENTAGES)
def test_an_additive_tax_of_the_order_is_within_half_a_unit(
    lines: list[Line], percentage: str
) -> None:
    """It is rounded once, however many lines there are."""
    plain = [Line(gross=line.gross, discounts=line.discounts) for line in lines]
    base = price(Order(lines=plain)).total
    tax = price(Order(lines=plain, taxes=[Tax("Tax", percentage)])).tax
    hundredths = int(percentage.replace(".", "")) if "." in percentage else int(percentage) * 100
    assert abs(tax * 10_000 - base * hundredths) <= 5_000
