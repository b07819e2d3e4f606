"""What an order comes to by Square's published rules, in whole minor units and without floats.

Square publishes: percentages before fixed amounts and a line's before the order's, each taken from what the
earlier ones left; an order's amount is computed once, rounded, and shared over the lines by what they still
cost; charges after discounts, taxes after charges; halves round to even. Not published, and decided here:
a leftover unit goes to the largest remainder, the earlier line at a tie; the smaller of two percentages of one
class goes first, as in Square's own example; no tax is taken from another one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from service.core.model import Discount, Tax

Number = int | Fraction


class Line(Struct, frozen=True, kw_only=True):
    """A line before anything is taken off or added: `gross` is for all its units and modifiers."""

    gross: int
    discounts: Sequence[Discount] = ()
    taxes: Sequence[Tax] = ()


class Charge(Struct, frozen=True, kw_only=True):
    """A service charge: a fixed `amount`, or a percentage of the subtotal or, after taxes, of the total."""

    amount: int = 0
    percentage: str = ""
    of_total: bool = False
    taxable: bool = False


class Order(Struct, frozen=True, kw_only=True):
    """What there is to price."""

    lines: Sequence[Line]
    discounts: Sequence[Discount] = ()
    taxes: Sequence[Tax] = ()
    charges: Sequence[Charge] = ()


class PricedLine(Struct, frozen=True, kw_only=True):
    """Amounts of one line; `tax` has the inclusive taxes too, which `total` already contains."""

    gross: int
    discount: int
    tax: int
    total: int


class Priced(Struct, frozen=True, kw_only=True):
    """Amounts of an order; `tax` has the inclusive taxes and those of the charges."""

    lines: tuple[PricedLine, ...]
    gross: int
    discount: int
    tax: int
    charge: int
    total: int


def price(order: Order) -> Priced:
    """Return what the order and each of its lines come to."""
    kept = _after_discounts(order)
    early = [_charge(charge, sum(kept)) for charge in order.charges if not charge.of_total]
    taxes = _Taxes(len(kept))
    _tax_lines(order, kept, taxes)
    _tax_order(order, kept, early, taxes)
    lines = tuple(
        PricedLine(
            gross=line.gross,
            discount=line.gross - left,
            tax=taxes.added[index] + taxes.contained[index],
            total=left + taxes.added[index],
        )
        for index, (line, left) in enumerate(zip(order.lines, kept, strict=True))
    )
    so_far = sum(line.total for line in lines) + sum(early) + taxes.added_to_charges
    late = sum(_charge(charge, so_far) for charge in order.charges if charge.of_total)
    return Priced(
        lines=lines,
        gross=sum(line.gross for line in lines),
        discount=sum(line.discount for line in lines),
        tax=sum(line.tax for line in lines) + taxes.added_to_charges + taxes.contained_in_charges,
        charge=sum(early) + late,
        total=so_far + late,
    )


def gross(unit: int, quantity: str) -> int:
    """Return the price of a number of units, which may be a fraction."""
    return round(unit * Fraction(quantity))


def apportion(amount: int, weights: Sequence[Number]) -> list[int]:
    """Share an amount in proportion to weights; what has no weight gets nothing."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [int(amount * weight // whole) for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


class _Taxes:
    def __init__(self, lines: int) -> None:
        self.added = [0] * lines
        self.contained = [0] * lines
        self.added_to_charges = 0
        self.contained_in_charges = 0


def _after_discounts(order: Order) -> list[int]:
    kept = [line.gross for line in order.lines]
    for index, line in enumerate(order.lines):
        for percentage in _percentages(line.discounts):
            kept[index] -= _part(kept[index], percentage)
    for percentage in _percentages(order.discounts):
        kept = _shared_out(kept, _part(sum(kept), percentage))
    for index, line in enumerate(order.lines):
        for amount in _amounts(line.discounts):
            kept[index] -= min(amount, kept[index])
    for amount in _amounts(order.discounts):
        kept = _shared_out(kept, min(amount, sum(kept)))
    return kept


def _shared_out(kept: Sequence[int], amount: int) -> list[int]:
    shares = apportion(amount, kept)
    return [left - share for left, share in zip(kept, shares, strict=True)]


def _percentages(discounts: Iterable[Discount]) -> list[Fraction]:
    return sorted(_fraction(discount.percentage) for discount in discounts if discount.percentage)


def _amounts(discounts: Iterable[Discount]) -> list[int]:
    return [discount.amount.amount for discount in discounts if discount.amount is not None]


def _charge(charge: Charge, base: int) -> int:
    return _part(base, _fraction(charge.percentage)) if charge.percentage else charge.amount


def _tax_lines(order: Order, kept: Sequence[int], taxes: _Taxes) -> None:
    for index, line in enumerate(order.lines):
        net = _net(kept[index], (*line.taxes, *order.taxes))
        for tax in line.taxes:
            to = taxes.contained if tax.inclusive else taxes.added
            to[index] += _part(net, _fraction(tax.percentage))


def _tax_order(order: Order, kept: Sequence[int], early: Sequence[int], taxes: _Taxes) -> None:
    if not order.taxes:
        return
    charges = [charge for charge in order.charges if not charge.of_total]
    taxable = sum(amount for charge, amount in zip(charges, early, strict=True) if charge.taxable)
    nets = [
        _net(left, (*line.taxes, *order.taxes))
        for line, left in zip(order.lines, kept, strict=True)
    ]
    nets.append(_net(taxable, order.taxes))
    base = sum(nets)
    for tax in order.taxes:
        *shares, of_charges = apportion(_part(base, _fraction(tax.percentage)), nets)
        to = taxes.contained if tax.inclusive else taxes.added
        for index, share in enumerate(shares):
            to[index] += share
        if tax.inclusive:
            taxes.contained_in_charges += of_charges
        else:
            taxes.added_to_charges += of_charges


def _net(amount: int, taxes: Iterable[Tax]) -> Number:
    contained = [_fraction(tax.percentage) for tax in taxes if tax.inclusive]
    return amount / sum(contained, Fraction(1)) if contained else amount


def _part(base: Number, fraction: Fraction) -> int:
    # Rounding a Fraction takes exact halves to even, as Square does.
    return round(base * fraction)


def _fraction(percentage: str) -> Fraction:
    return Fraction(Decimal(percentage)) / 100
