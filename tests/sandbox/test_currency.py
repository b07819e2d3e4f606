"""Minor units follow ISO 4217."""

from decimal import Decimal

import pytest

from service.sandbox.currency import exponent, to_major, to_minor
from service.sandbox.dodo.enums import CURRENCIES


@pytest.mark.parametrize(
    ("currency", "expected"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("HRK", 2), ("SLL", 2)]
)
def test_exponents(currency: str, expected: int) -> None:
    """Each currency has its own number of decimals; withdrawn ones had two."""
    assert exponent(currency) == expected


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_amounts_come_back_unchanged(currency: str) -> None:
    """Writing an amount out and reading it in changes nothing, in any listed currency."""
    assert to_minor(str(to_major(123_456, currency)), currency) == 123_456


def test_a_decimal_comma_is_understood() -> None:
    """Buyers in many countries type a comma."""
    assert to_minor(" 12,5 ", "EUR") == 1250
    assert to_major(1250, "EUR") == Decimal("12.50")


@pytest.mark.parametrize(
    ("text", "currency"),
    [("x", "USD"), ("1.005", "USD"), ("0.5", "JPY"), ("NaN", "USD"), ("", "USD")],
)
def test_inexact_amounts_are_refused(text: str, currency: str) -> None:
    """An amount that the currency cannot express is never rounded."""
    with pytest.raises(ValueError, match=r"amount|number"):
        to_minor(text, currency)
