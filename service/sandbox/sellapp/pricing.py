"""What an invoice comes to: prices, coupon, what the customer adds, and VAT."""

from collections.abc import Mapping

import msgspec

from service.sandbox.sellapp.catalogue import Coupon, Variant

# VAT is added to prices for these countries, and not for buyers with a VAT id.
VAT_RATES: Mapping[str, int] = {"DE": 19, "FR": 20, "IT": 22}


class Line(msgspec.Struct, frozen=True):
    """So many of a variant."""

    variant: Variant
    quantity: int

    @property
    def amount(self) -> int:
        """Return the price of all of them."""
        return self.variant.price * self.quantity


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts without VAT, and its rate."""

    currency: str
    original: int
    subtotal: int
    full: int
    vat_rate: int

    @property
    def due(self) -> int:
        """Return what the buyer pays."""
        return with_vat(self.full, self.vat_rate)


def with_vat(amount: int, rate: int) -> int:
    """Add VAT to an amount, halves up."""
    return amount + (amount * rate + 50) // 100


def price(
    lines: tuple[Line, ...], coupon: Coupon | None, extra: int, *, vat_rate: int, is_trial: bool
) -> Priced:
    """Price the lines of an invoice; during a trial nothing is due."""
    original = sum(line.amount for line in lines)
    subtotal = original - (_discount(lines, coupon) if coupon else 0)
    return Priced(
        currency=lines[0].variant.currency,
        original=original,
        subtotal=subtotal,
        full=0 if is_trial else subtotal + extra,
        vat_rate=vat_rate,
    )


def _discount(lines: tuple[Line, ...], coupon: Coupon) -> int:
    base = sum(line.amount for line in lines if applies(coupon, line.variant))
    return min(base, coupon.amount or base * coupon.percent // 100)


def applies(coupon: Coupon, variant: Variant) -> bool:
    """Tell whether a coupon is good for a variant."""
    return not coupon.variant_ids or variant.variant_id in coupon.variant_ids
