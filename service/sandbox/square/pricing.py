"""The price of an order by the rules that Square publishes; halves round to even.

Where nothing is published, this is what the sandbox does:

- of two discounts of one class, the smaller percentage goes first, else the first in the request;
- left-over units of a shared amount go to the largest remainders, the first line on a tie;
- taxes on lines are rounded on each line;
- taxes on one line share what is inside by their rates, and none is computed on another.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from service.sandbox.square.schema import JsonObject

APPORTIONED = ("APPORTIONED_PERCENTAGE_PHASE", "APPORTIONED_AMOUNT_PHASE")


@dataclass(slots=True, kw_only=True)
class Part:
    """Something of an order that taxes may fall on."""

    source: JsonObject
    applied: int
    taxes: dict[str, int] = field(default_factory=dict)
    added_tax: int = 0

    @property
    def taxed(self) -> int:
        """Return the amount that taxes are computed on."""
        return self.applied

    @property
    def tax(self) -> int:
        """Return all tax, inside the price or on top."""
        return sum(self.taxes.values())

    @property
    def total(self) -> int:
        """Return what the buyer pays for it."""
        return self.taxed + self.added_tax


@dataclass(slots=True, kw_only=True)
class Line(Part):
    """A line of the order; `applied` is its gross amount."""

    discounts: dict[str, int] = field(default_factory=dict)
    charges: dict[str, int] = field(default_factory=dict)

    @property
    def discount(self) -> int:
        """Return all that is taken off."""
        return sum(self.discounts.values())

    @property
    def charge(self) -> int:
        """Return the line's shares of apportioned service charges."""
        return sum(self.charges.values())

    @property
    def taxed(self) -> int:
        """Return the gross amount less discounts, with apportioned charges."""
        return self.applied - self.discount + self.charge


@dataclass(slots=True, kw_only=True)
class PricedOrder:
    """An order with every amount that follows from it, before any tip."""

    lines: list[Line]
    charges: list[Part]

    @property
    def subtotal(self) -> int:
        """Return the gross amount of all lines."""
        return sum(line.applied for line in self.lines)

    @property
    def discount(self) -> int:
        """Return all that is taken off."""
        return sum(line.discount for line in self.lines)

    @property
    def tax(self) -> int:
        """Return all tax, inside prices or on top."""
        return sum(part.tax for part in (*self.lines, *self.charges))

    @property
    def added_tax(self) -> int:
        """Return the tax on top of prices."""
        return sum(part.added_tax for part in (*self.lines, *self.charges))

    @property
    def service_charge(self) -> int:
        """Return all service charges, without the tax on them."""
        apportioned = sum(line.charge for line in self.lines)
        return apportioned + sum(charge.applied for charge in self.charges)

    @property
    def total(self) -> int:
        """Return what the buyer pays, before any tip."""
        return sum(part.total for part in (*self.lines, *self.charges))


def price(order: JsonObject) -> PricedOrder:
    """Price an order whose adjustments all have a uid, a type and a scope."""
    lines = [Line(source=line, applied=_gross(line)) for line in order["line_items"]]
    for discount in sorted(order["discounts"], key=_rank):
        _take_off(discount, lines)
    for phase in APPORTIONED:
        for charge in _charges(order, phase):
            _apportion(charge, lines)
    base = sum(line.taxed for line in lines)
    charges = [
        Part(source=charge, applied=_amount(charge, base))
        for charge in _charges(order, "SUBTOTAL_PHASE")
    ]
    _add_taxes(order["taxes"], lines, charges)
    taxed = sum(part.total for part in (*lines, *charges))
    charges += [
        Part(source=charge, applied=_amount(charge, taxed))
        for charge in _charges(order, "TOTAL_PHASE")
    ]
    return PricedOrder(lines=lines, charges=charges)


def unit_total(line: JsonObject) -> int:
    """Return the price of a line's units without their modifiers."""
    return _times(line["base_price_money"]["amount"], line)


def modifier_total(modifier: JsonObject, line: JsonObject) -> int:
    """Return the price of a modifier on all units of its line."""
    each = modifier["base_price_money"]["amount"] * int(modifier["quantity"])
    return _times(each, line)


def share(amount: int, weights: Sequence[int] | Sequence[Fraction]) -> list[int]:
    """Split an amount in proportion to weights, without losing a unit."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    exact = [Fraction(amount * weight) / total for weight in weights]
    parts = [int(part) for part in exact]
    places = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
    for place in places[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def _gross(line: JsonObject) -> int:
    each = line["base_price_money"]["amount"] + sum(
        modifier["base_price_money"]["amount"] * int(modifier["quantity"])
        for modifier in line["modifiers"]
    )
    return _times(each, line)


def _times(each: int, line: JsonObject) -> int:
    return round(each * Fraction(line["quantity"]))


def _rank(discount: JsonObject) -> tuple[bool, bool, Fraction]:
    is_fixed = discount["type"] == "FIXED_AMOUNT"
    rate = Fraction(0) if is_fixed else Fraction(discount["percentage"])
    return is_fixed, discount["scope"] == "ORDER", rate


def _amount(adjustment: JsonObject, base: int) -> int:
    if "percentage" in adjustment:
        return round(base * Fraction(adjustment["percentage"]) / 100)
    amount: int = adjustment["amount_money"]["amount"]
    return amount


def _take_off(discount: JsonObject, lines: Sequence[Line]) -> None:
    for line, amount in _spread(
        discount, lines, "discount_uid", lambda base: min(base, _amount(discount, base))
    ):
        line.discounts[discount["uid"]] = amount


def _apportion(charge: JsonObject, lines: Sequence[Line]) -> None:
    for line, amount in _spread(
        charge, lines, "service_charge_uid", lambda base: _amount(charge, base)
    ):
        line.charges[charge["uid"]] = amount


def _spread(
    adjustment: JsonObject,
    lines: Sequence[Line],
    reference: str,
    amount: Callable[[int], int],
) -> Iterable[tuple[Line, int]]:
    if adjustment["scope"] == "LINE_ITEM":
        chosen = [line for line in lines if _refers(line.source, reference, adjustment["uid"])]
        return [(line, amount(line.taxed)) for line in chosen]
    weights = [line.taxed for line in lines]
    return zip(lines, share(amount(sum(weights)), weights), strict=True)


def _charges(order: JsonObject, phase: str) -> Iterator[JsonObject]:
    return (charge for charge in order["service_charges"] if charge["calculation_phase"] == phase)


def _add_taxes(taxes: Sequence[JsonObject], lines: Sequence[Line], charges: Sequence[Part]) -> None:
    parts = [*lines, *(charge for charge in charges if charge.source["taxable"])]
    inside = [_inside(part, taxes) for part in parts]
    for tax in sorted(taxes, key=lambda tax: tax["scope"] == "ORDER"):
        exact = [
            _exact(tax, part, within) if _falls_on(tax, part) else Fraction(0)
            for part, within in zip(parts, inside, strict=True)
        ]
        for part, amount in zip(parts, _rounded(tax, exact), strict=True):
            if _falls_on(tax, part):
                part.taxes[tax["uid"]] = amount
                part.added_tax += amount if tax["type"] == "ADDITIVE" else 0


def _rounded(tax: JsonObject, exact: Sequence[Fraction]) -> list[int]:
    if tax["scope"] == "ORDER":
        return share(round(sum(exact)), exact)
    return [round(amount) for amount in exact]


def _exact(tax: JsonObject, part: Part, inside: Fraction) -> Fraction:
    return part.taxed * Fraction(tax["percentage"]) / (100 + inside)


def _inside(part: Part, taxes: Sequence[JsonObject]) -> Fraction:
    return sum(
        (
            Fraction(tax["percentage"])
            for tax in taxes
            if tax["type"] == "INCLUSIVE" and _falls_on(tax, part)
        ),
        start=Fraction(0),
    )


def _falls_on(tax: JsonObject, part: Part) -> bool:
    return tax["scope"] == "ORDER" or _refers(part.source, "tax_uid", tax["uid"])


def _refers(source: JsonObject, reference: str, uid: str) -> bool:
    lists = ("applied_discounts", "applied_taxes", "applied_service_charges")
    return any(use.get(reference) == uid for name in lists for use in source.get(name, ()))
