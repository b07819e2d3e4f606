"""The demo store: its checkouts, what it sells, its coupons, and the taxes of the countries it knows."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from service.sandbox.fastspring.enums import ONE_TIME, PLAN

USERNAME = "DEMOUSER"
STORE_ID = "demo-store"
CHECKOUT_ID = "web-demo"
TEST_CHECKOUT_ID = "web-test"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Something for sale; prices are in minor units."""

    name: str
    prices: Mapping[str, int]
    kind: str = ONE_TIME
    format: str = "DIGITAL"
    trial_days: int = 0


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """A country: the currency it pays in, and its tax in percent."""

    currency: str
    rate: Decimal = Decimal(0)
    is_tax_in_price: bool = False


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store has; checkouts say whether they are in test mode, where all sessions are tests."""

    checkouts: Mapping[str, bool]
    products: Mapping[str, Product]
    coupons: Mapping[str, int]
    countries: Mapping[str, Country]


def demo_catalogue() -> Catalogue:
    """Return the demo store."""
    return Catalogue(
        checkouts={f"{STORE_ID}/{CHECKOUT_ID}": False, f"{STORE_ID}/{TEST_CHECKOUT_ID}": True},
        products={
            "demo-product": Product(
                name="Demo Product", prices={"USD": 1999, "EUR": 1899, "GBP": 1699, "JPY": 2900}
            ),
            "demo-book": Product(name="Demo Book", prices={"USD": 2500}, format="PHYSICAL"),
            "demo-free": Product(name="Demo Gift", prices={"USD": 0, "EUR": 0}),
            "demo-subscription": Product(
                name="Demo Subscription", prices={"USD": 999, "EUR": 949}, kind=PLAN
            ),
            "demo-trial": Product(
                name="Demo Trial", prices={"USD": 999, "EUR": 949}, kind=PLAN, trial_days=7
            ),
        },
        coupons={"SAVE10": 10},
        countries={
            "AT": Country(currency="EUR", rate=Decimal(20), is_tax_in_price=True),
            "CA": Country(currency="CAD", rate=Decimal(5)),
            "DE": Country(currency="EUR", rate=Decimal(19), is_tax_in_price=True),
            "FR": Country(currency="EUR", rate=Decimal(20), is_tax_in_price=True),
            "GB": Country(currency="GBP", rate=Decimal(20), is_tax_in_price=True),
            "JP": Country(currency="JPY", rate=Decimal(10), is_tax_in_price=True),
            "US": Country(currency="USD", rate=Decimal("8.25")),
        },
    )
