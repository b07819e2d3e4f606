"""Amounts go to major units and back without losing or inventing a fraction."""

from decimal import Context, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import Money
from service.core.money import MAX_AMOUNT, exponent
from service.providers.fastspring.amounts import Figures, encoded, to_major, to_minor

# No decimals, two, three.
CURRENCIES = ("JPY", "KRW", "USD", "EUR", "KWD", "BHD")
MONEY = st.builds(Money, st.integers(0, MAX_AMOUNT), st.sampled_from(CURRENCIES))


@pytest.mark.parametrize(
    ("money", "expected"),
    [
        (Money(1999, "USD"), b"19.99"),
        (Money(10, "USD"), b"0.10"),
        (Money(0, "USD"), b"0.00"),
        (Money(500, "JPY"), b"500"),
        (Money(1234, "KWD"), b"1.234"),
        (Money(MAX_AMOUNT, "USD"), b"90071992547409.91"),
    ],
)
def test_amounts_are_written_digit_by_digit(money: Money, expected: bytes) -> None:
    """A JSON number with all decimals of the currency, and never a float's."""
    assert encoded(to_major(money)) == expected


@given(MONEY)
def test_every_amount_survives_the_way_there_and_back(money: Money) -> None:
    """What is sent as JSON and read again is the same amount, for each number of decimals."""
    raw = encoded({"total": to_major(money)})
    read = msgspec.json.Decoder(float_hook=Decimal).decode(raw)["total"]
    assert to_minor(Decimal(read), money.currency) == money


@given(MONEY, st.integers(1, 9), st.integers(1, 30))
def test_a_finer_fraction_is_refused(money: Money, digit: int, places: int) -> None:
    """Anything below a minor unit does not fit, however small it is."""
    below = Decimal(digit).scaleb(-exponent(money.currency) - places)
    finer = Context(prec=80).add(to_major(money), below)
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(finer, money.currency)


@given(st.decimals(allow_nan=True, allow_infinity=True), st.sampled_from(CURRENCIES))
def test_no_number_is_rounded(value: Decimal, currency: str) -> None:
    """Whatever number comes, it is read exactly or refused."""
    try:
        money = to_minor(value, currency)
    except ValueError:
        return
    assert to_major(money) == value


@pytest.mark.parametrize(
    "value",
    ["-0.01", "1E+99999999", "1E-99999999", "90071992547409.92", "NaN", "Infinity", "0.001"],
)
def test_what_is_no_amount_is_refused(value: str) -> None:
    """Negative, endless and too large numbers are no amounts of money, and cost no time."""
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(Decimal(value), "USD")


def test_written_zeros_are_no_fraction() -> None:
    """A currency without decimals may be written with some that say nothing."""
    assert to_minor(Decimal("2900.00"), "JPY") == Money(2900, "JPY")


def test_figures_that_do_not_fit_are_left_out_and_named() -> None:
    """One bad figure costs no other."""
    figures = Figures("USD")
    assert figures.money("net", Decimal("1.005")) is None
    assert figures.money("tax", Decimal("1.00")) == Money(100, "USD")
    assert figures.money("none", None) is None
    assert figures.inexact == ["net"]
    assert Figures(None).money("total", Decimal(1)) is None
