"""What a cart comes to: prices by country and currency, discounts, a coupon, and tax, in minor units.

FastSpring publishes no rules of rounding. Here a discount is taken from each unit, a coupon and the tax from
each line, and halves are rounded up; a trial is free of charge, and fees are part of their line. A price list
without the country's currency is converted at par.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from service.sandbox.currency import exponent
from service.sandbox.fastspring.catalogue import Catalogue, Country, Product
from service.sandbox.fastspring.schema import JsonObject

DEFAULT_CURRENCY = "USD"
FEES = ("setupFee", "edsFee", "shippingFee")


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: list prices are before discounts, net prices after them; tax is contained or added."""

    path: str
    product: Product
    source: JsonObject
    quantity: int
    trial_days: int
    unit_list: int
    unit_discount: int
    fees: int
    coupon: int
    tax: int

    @property
    def list_total(self) -> int:
        """Return the sum before discounts."""
        return self.unit_list * self.quantity + self.fees

    @property
    def product_discount(self) -> int:
        """Return the sum of the product's own discounts."""
        return self.unit_discount * self.quantity

    @property
    def net_total(self) -> int:
        """Return the sum after discounts."""
        return self.list_total - self.product_discount - self.coupon


class PricedCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart in the currency of a country."""

    country: str
    currency: str
    rate: Decimal
    is_tax_in_price: bool
    coupon_code: str
    is_coupon_known: bool
    lines: tuple[PricedLine, ...]

    @property
    def list_total(self) -> int:
        """Return the sum of lines before discounts."""
        return sum(line.list_total for line in self.lines)

    @property
    def product_discount(self) -> int:
        """Return the sum of the products' discounts."""
        return sum(line.product_discount for line in self.lines)

    @property
    def coupon_discount(self) -> int:
        """Return what the coupon takes off."""
        return sum(line.coupon for line in self.lines)

    @property
    def net_total(self) -> int:
        """Return the sum of lines after discounts."""
        return self.list_total - self.product_discount - self.coupon_discount

    @property
    def tax(self) -> int:
        """Return the sum of taxes."""
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """Return what the buyer pays."""
        return self.net_total + (0 if self.is_tax_in_price else self.tax)


def price(cart: JsonObject, catalogue: Catalogue, country_code: str, coupon: str) -> PricedCart:
    """Price a cart for a country."""
    country = catalogue.countries.get(country_code, Country(currency=DEFAULT_CURRENCY))
    sources: list[JsonObject] = cart.get("lineItems", [])
    currency = _currency(sources, catalogue, country)
    percent = catalogue.coupons.get(coupon, 0)
    return PricedCart(
        country=country_code,
        currency=currency,
        rate=country.rate,
        is_tax_in_price=country.is_tax_in_price,
        coupon_code=coupon,
        is_coupon_known=coupon in catalogue.coupons,
        lines=tuple(_line(source, catalogue, country, currency, percent) for source in sources),
    )


def _currency(sources: list[JsonObject], catalogue: Catalogue, country: Country) -> str:
    lists = [_list_prices(source, catalogue).keys() for source in sources]
    shared = frozenset.intersection(*map(frozenset, lists)) if lists else frozenset()
    for code in (country.currency, DEFAULT_CURRENCY):
        if code in shared:
            return code
    return min(shared, default=DEFAULT_CURRENCY)


def _list_prices(source: JsonObject, catalogue: Catalogue) -> Mapping[str, int]:
    custom = _custom(source).get("unitPrice")
    return _minor(custom) if custom else catalogue.products[source["productPath"]].prices


def _line(
    source: JsonObject, catalogue: Catalogue, country: Country, currency: str, percent: int
) -> PricedLine:
    product = catalogue.products[source["productPath"]]
    quantity = source.get("quantity", 1)
    trial = source.get("subscriptionOverrides", {}).get("trialDays", product.trial_days)
    custom = _custom(source)
    fees = sum(_in(_minor(custom.get(name, {})), currency) for name in FEES)
    unit = 0 if trial else _in(_list_prices(source, catalogue), currency)
    off = min(_discount(custom.get("discounts", ()), quantity, unit, currency), unit)
    due = (unit - off) * quantity + fees
    coupon = _share(due, Decimal(percent))
    return PricedLine(
        path=source["productPath"],
        product=product,
        source=source,
        quantity=quantity,
        trial_days=trial,
        unit_list=unit,
        unit_discount=off,
        fees=fees,
        coupon=coupon,
        tax=_tax(due - coupon, country),
    )


def _custom(source: JsonObject) -> JsonObject:
    custom: JsonObject = source.get("customPrice", {})
    return custom


def _minor(prices: Mapping[str, Decimal | int]) -> Mapping[str, int]:
    return {code: int(Decimal(value).scaleb(exponent(code))) for code, value in prices.items()}


def _in(prices: Mapping[str, int], currency: str) -> int:
    if currency in prices or not prices:
        return prices.get(currency, 0)
    code = DEFAULT_CURRENCY if DEFAULT_CURRENCY in prices else min(prices)
    return _rounded(Decimal(prices[code]).scaleb(exponent(currency) - exponent(code)))


def _discount(tiers: list[JsonObject], quantity: int, unit: int, currency: str) -> int:
    reached = [tier for tier in tiers if tier.get("minQuantity", 1) <= quantity]
    if not reached:
        return 0
    tier = max(reached, key=lambda found: int(found.get("minQuantity", 1)))
    off = _share(unit, Decimal(tier.get("percentDiscount", 0)))
    return off + _in(_minor(tier.get("amountDiscount", {})), currency)


def _tax(net: int, country: Country) -> int:
    if country.is_tax_in_price:
        return _rounded(Decimal(net) * country.rate / (100 + country.rate))
    return _share(net, country.rate)


def _share(amount: int, percent: Decimal) -> int:
    return _rounded(Decimal(amount) * percent / 100)


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))
