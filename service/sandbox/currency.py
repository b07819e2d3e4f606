"""Minor units of currencies, as the maintained ISO 4217 table has them."""

from decimal import Decimal, InvalidOperation

from iso4217 import Currency

WITHDRAWN_EXPONENT = 2


def exponent(currency: str) -> int:
    """Return how many decimals a currency has."""
    try:
        return Currency(currency).exponent or 0
    except ValueError:
        # Providers still list a few codes that ISO 4217 has withdrawn, such as HRK and SLL.
        return WITHDRAWN_EXPONENT


def to_major(amount: int, currency: str) -> Decimal:
    """Turn minor units into the decimal a buyer reads."""
    return Decimal(amount).scaleb(-exponent(currency))


def to_minor(text: str, currency: str) -> int:
    """Turn what a buyer typed into minor units, or raise `ValueError` where it cannot be exact."""
    try:
        minor = Decimal(text.strip().replace(",", ".")).scaleb(exponent(currency))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise ValueError("not an amount of this currency")
    return int(minor)
