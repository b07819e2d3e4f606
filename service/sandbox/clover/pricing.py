"""What a cart comes to; Clover does not publish its rounding, so taxes are rounded half up for each line."""

import msgspec

from service.sandbox.clover.catalogue import INVENTORY
from service.sandbox.clover.errors import Refusal
from service.sandbox.clover.request import LineItem, ShoppingCart

ONE = 10_000_000


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `amount` is before tax."""

    name: str
    note: str
    quantity: int
    amount: int
    tax: int


class PricedCart(msgspec.Struct, frozen=True):
    """All lines."""

    lines: tuple[PricedLine, ...]

    @property
    def subtotal(self) -> int:
        """Return the amount before tax."""
        return sum(line.amount for line in self.lines)

    @property
    def tax(self) -> int:
        """Return all taxes."""
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """Return the amount with tax, before any tip."""
        return self.subtotal + self.tax


def price(cart: ShoppingCart) -> PricedCart:
    """Price a cart; one with nothing to pay is refused."""
    priced = PricedCart(tuple(_line(item) for item in cart.line_items))
    if not priced.total:
        raise Refusal(400, "shoppingCart has nothing to pay")
    return priced


def _line(item: LineItem) -> PricedLine:
    rates = [tax.rate for tax in item.tax_rates]
    name, unit = item.name or "", item.price or 0
    if item.item_ref_uuid is not None:
        stocked = INVENTORY[item.item_ref_uuid]
        name, unit = stocked.name, stocked.price
        rates.append(stocked.rate)
    amount = unit * item.unit_qty
    return PricedLine(
        name=name,
        note=item.note,
        quantity=item.unit_qty,
        amount=amount,
        tax=sum((amount * rate + ONE // 2) // ONE for rate in rates),
    )
