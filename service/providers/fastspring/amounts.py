"""Amounts as FastSpring writes them, JSON numbers in major units, to minor units and back without floats."""

from collections.abc import Iterable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

import msgspec

from service.core.model import Money
from service.core.money import MAX_AMOUNT, exponent

PRECISION = 40
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def to_major(money: Money) -> Decimal:
    """Return an amount in major units, with all decimals of its currency."""
    return Decimal(money.amount).scaleb(-exponent(money.currency))


def to_minor(value: Decimal, currency: str) -> Money:
    """Return an amount in minor units. Raises ValueError where that would have to round."""
    return Money(_minor(value, exponent(currency), _exact()), currency)


def _exact() -> Context:
    return Context(prec=PRECISION, traps=[Inexact, InvalidOperation, Overflow])


def _minor(value: Decimal, digits: int | None, exact: Context) -> int:
    if digits is None:
        raise ValueError("no currency")
    try:
        minor = exact.to_integral_exact(exact.scaleb(value, digits))
    except DecimalException as error:
        raise ValueError("not an amount of its currency") from error
    if not (minor.is_finite() and 0 <= minor <= MAX_AMOUNT):
        raise ValueError("not an amount of its currency")
    return int(minor)


def prices(amounts: Iterable[Money]) -> dict[str, Decimal]:
    """Return a price map, which has one number for each currency."""
    return {money.currency: to_major(money) for money in amounts}


def encoded(body: object) -> bytes:
    """Write JSON in which decimals are numbers, digit by digit."""
    return _ENCODER.encode(body)


class Figures:
    """Reads the amounts of one answer in its currency and notes those that cannot be exact."""

    def __init__(self, currency: str | None) -> None:
        self.currency = currency or ""
        self.inexact: list[str] = []
        self._exact = _exact()
        self._digits = _digits(self.currency)
        # An answer says the same few amounts again and again.
        self._told: dict[Decimal, dict[str, object]] = {}

    def money(self, name: str, value: Decimal | None) -> Money | None:
        """Return an amount; None where there is none or it does not fit the currency."""
        if value is None:
            return None
        try:
            return Money(_minor(value, self._digits, self._exact), self.currency)
        except ValueError:
            self.inexact.append(name)
            return None

    def told(self, name: str, value: Decimal | None) -> dict[str, object] | None:
        """Return an amount as it stands among a session's details, under the same conditions."""
        if value is None:
            return None
        known = self._told.get(value)
        if known is None and (money := self.money(name, value)):
            known = {"amount": money.amount, "currency": money.currency}
            self._told[value] = known
        return known


def _digits(currency: str) -> int | None:
    try:
        return exponent(currency)
    except ValueError:
        return None
