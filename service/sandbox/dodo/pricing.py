"""What a cart costs at the demo merchant.

Dodo publishes no rounding rule; the sandbox rounds half up, once per line. A percentage applies to
each line, a flat code to the lines in their order, codes in theirs, each on the already reduced price.
"""

from collections.abc import Mapping, Sequence

import msgspec

from service.sandbox.dodo.catalogue import Addon, Catalogue, Discount, Product
from service.sandbox.dodo.errors import Refusal, invalid_parameters
from service.sandbox.dodo.request import MAX_INT32, CartItem, CheckoutRequest, SubscriptionData

BASIS_POINTS = 10_000


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the cart with what is due for it now and at each renewal."""

    product: Product
    quantity: int
    addons: tuple[tuple[Addon, int], ...]
    currency: str
    unit_price: int
    recurring: int
    subtotal: int
    discount: int = 0
    tax: int = 0

    @property
    def total(self) -> int:
        """Return what is due now, tax included."""
        net = self.subtotal - self.discount
        return net if self.product.is_tax_inclusive else net + self.tax


class PricedCart(msgspec.Struct, frozen=True, kw_only=True):
    """The whole cart, priced."""

    currency: str
    lines: tuple[PricedLine, ...]
    discount_ids: tuple[str, ...] = ()

    @property
    def subtotal(self) -> int:
        """Return the sum before discounts and added tax."""
        return sum(line.subtotal for line in self.lines)

    @property
    def discount(self) -> int:
        """Return the sum of all discounts."""
        return sum(line.discount for line in self.lines)

    @property
    def tax(self) -> int:
        """Return all tax, added and included."""
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """Return what is due now."""
        return sum(line.total for line in self.lines)


def price(
    request: CheckoutRequest,
    catalogue: Catalogue,
    *,
    amounts: Mapping[int, int] | None = None,
    extra_codes: Sequence[str] = (),
) -> PricedCart:
    """Price a checked cart, with the amounts and codes that the buyer chose on the page."""
    chosen = amounts or {}
    lines = tuple(
        _line(item, catalogue, request.subscription_data, chosen.get(index))
        for index, item in enumerate(request.product_cart)
    )
    currency = _only_currency(lines)
    discounts = [_discount(code, catalogue, currency) for code in (*request.codes, *extra_codes)]
    lines = tuple(_with_tax(line) for line in _discounted(lines, discounts))
    cart = PricedCart(
        currency=currency,
        lines=lines,
        discount_ids=tuple(discount.discount_id for discount in discounts),
    )
    if cart.total > MAX_INT32 or cart.subtotal > MAX_INT32:
        # The documents promise a 422 that asks for a smaller quantity, without naming its code.
        raise Refusal(422, "INVALID_QUANTITY", "The total is too large, reduce the quantity")
    return cart


def _line(
    item: CartItem, catalogue: Catalogue, data: SubscriptionData | None, chosen: int | None
) -> PricedLine:
    product = catalogue.products[item.product_id]
    addons = tuple(
        (catalogue.addons[addon.addon_id], addon.quantity) for addon in item.addons or []
    )
    each = sum(addon.price * quantity for addon, quantity in addons)
    unit_price = _unit_price(item, product, chosen)
    full = unit_price * item.quantity + each
    currency, due = _due_now(product, full, data)
    return PricedLine(
        product=product,
        quantity=item.quantity,
        addons=addons,
        currency=currency,
        unit_price=unit_price,
        recurring=full if product.is_recurring else 0,
        subtotal=due,
    )


def _unit_price(item: CartItem, product: Product, chosen: int | None) -> int:
    if not product.is_pay_what_you_want:
        return product.price
    return item.amount or chosen or product.suggested_price


def _due_now(product: Product, full: int, data: SubscriptionData | None) -> tuple[str, int]:
    if data is None or not product.is_recurring:
        return product.currency, full
    on_demand = data.on_demand
    if on_demand is not None:
        currency = on_demand.product_currency or product.currency
        price = full if on_demand.product_price is None else on_demand.product_price
        return currency, 0 if on_demand.mandate_only else price
    return product.currency, 0 if data.trial_period_days else full


def _only_currency(lines: tuple[PricedLine, ...]) -> str:
    currencies = {line.currency for line in lines}
    if len(currencies) != 1:
        # With adaptive pricing off there is no rate to convert one line into another's currency.
        raise invalid_parameters("All items in the product cart should have the same currency")
    return currencies.pop()


def _discount(code: str, catalogue: Catalogue, currency: str) -> Discount:
    discount = catalogue.discounts.get(code)
    if discount is None:
        raise Refusal(422, "INVALID_DISCOUNT_CODE", "Invalid Discount Code")
    if discount.kind == "flat" and discount.currency != currency:
        message = "Discount Code cannot be applied to any product in the cart"
        raise Refusal(422, "INVALID_DISCOUNT_CODE", message)
    return discount


def _discounted(
    lines: tuple[PricedLine, ...], discounts: Sequence[Discount]
) -> tuple[PricedLine, ...]:
    for discount in discounts:
        left = discount.amount
        reduced = []
        for line in lines:
            net = line.subtotal - line.discount
            off = _share(net, left) if discount.kind == "percentage" else min(net, left)
            left -= off if discount.kind == "flat" else 0
            reduced.append(msgspec.structs.replace(line, discount=line.discount + off))
        lines = tuple(reduced)
    return lines


def _with_tax(line: PricedLine) -> PricedLine:
    rate, net = line.product.tax_rate, line.subtotal - line.discount
    if line.product.is_tax_inclusive:
        tax = net - _rounded(net * BASIS_POINTS, BASIS_POINTS + rate)
    else:
        tax = _share(net, rate)
    return msgspec.structs.replace(line, tax=tax)


def _share(amount: int, basis_points: int) -> int:
    return _rounded(amount * basis_points, BASIS_POINTS)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
