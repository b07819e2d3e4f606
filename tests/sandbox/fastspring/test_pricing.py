"""What a cart comes to, by country, currency, discounts, coupon and tax."""

from decimal import Decimal
from typing import Any

import pytest

from service.sandbox.fastspring.catalogue import demo_catalogue
from service.sandbox.fastspring.pricing import PricedCart, price
from tests.sandbox.fastspring.bench import FastspringBench, cart, item


def priced(
    *lines: dict[str, Any], country: str = "US", coupon: str = "", **custom: object
) -> PricedCart:
    """Price a cart; `custom` is the price of a line of its own."""
    found = lines or (item(customPrice=custom) if custom else item(),)
    return price(cart(*found), demo_catalogue(), country, coupon)


@pytest.mark.parametrize(
    ("country", "currency", "net", "tax", "total"),
    [
        ("US", "USD", 1999, 165, 2164),
        ("DE", "EUR", 1899, 303, 1899),
        ("JP", "JPY", 2900, 264, 2900),
        ("CA", "USD", 1999, 100, 2099),
        ("MX", "USD", 1999, 0, 1999),
    ],
)
def test_the_country_decides_currency_and_tax(
    country: str, currency: str, net: int, tax: int, total: int
) -> None:
    """Prices contain the tax in some countries and not in others; without a price in its currency dollars hold."""
    found = priced(country=country)
    assert (found.currency, found.net_total, found.tax) == (currency, net, tax)
    assert found.total == total


def test_a_currency_must_be_priced_on_every_line() -> None:
    """A book that has no price in euros makes the whole cart one in dollars."""
    found = priced(item(), item("demo-book"), country="DE")
    assert (found.currency, found.list_total) == ("USD", 4499)


def test_a_price_of_its_own_replaces_the_catalogues() -> None:
    """In whatever currencies it is given."""
    found = priced(country="GB", unitPrice={"GBP": Decimal("5.50"), "USD": 9})
    assert (found.currency, found.total) == ("GBP", 550)
    assert priced(country="GB", unitPrice={"CHF": 7}).currency == "CHF"


@pytest.mark.parametrize(("quantity", "discount"), [(1, 0), (4, 0), (5, 500), (10, 3000)])
def test_the_tier_of_the_quantity_holds(quantity: int, discount: int) -> None:
    """Discounts are taken from each unit, by percentage or by amount."""
    custom = {
        "unitPrice": {"USD": 10},
        "discounts": [
            {"minQuantity": 5, "percentDiscount": 10},
            {"minQuantity": 10, "amountDiscount": {"USD": 3}},
        ],
    }
    found = priced(item(quantity=quantity, customPrice=custom))
    assert found.product_discount == discount
    assert found.net_total == 1000 * quantity - discount


def test_a_discount_makes_nothing_negative() -> None:
    """Nobody is paid for buying."""
    custom = {"unitPrice": {"USD": 1}, "discounts": [{"amountDiscount": {"USD": 5}}]}
    assert priced(item(customPrice=custom)).total == 0


def test_fees_are_part_of_their_line_and_coupons_come_after() -> None:
    """A coupon takes its share of what is left."""
    custom = {
        "unitPrice": {"USD": 10},
        "setupFee": {"USD": 5},
        "edsFee": {"USD": 2},
        "shippingFee": {"USD": 3},
    }
    found = priced(item(customPrice=custom), country="MX", coupon="SAVE10")
    assert (found.list_total, found.coupon_discount, found.total) == (2000, 200, 1800)
    assert priced(country="MX", coupon="NOPE").coupon_discount == 0


@pytest.mark.parametrize("days", [None, 0, 30])
def test_a_trial_is_free_until_it_ends(days: int | None) -> None:
    """The plan's own, or the one a line asks for."""
    overrides = {} if days is None else {"subscriptionOverrides": {"trialDays": days}}
    found = priced(item("demo-trial", **overrides), country="MX")
    assert found.total == (999 if days == 0 else 0)


async def test_amounts_are_numbers_in_major_units(fastspring: FastspringBench) -> None:
    """Totals, lines and their texts agree."""
    made = await fastspring.create(country="DE", cart=cart(item(quantity=2), couponCode="SAVE10"))
    found = made["cart"]
    assert (made["currency"], found["taxIncluded"]) == ("EUR", "TAXES_INCLUDED_IN_PRICE")
    assert (found["listTotal"], found["couponDiscountTotal"]) == (37.98, 3.8)
    assert (found["netTotal"], found["withTaxNetTotal"]) == (34.18, 34.18)
    assert (found["withoutTaxNetTotal"], found["taxTotal"]) == (28.72, 5.46)
    assert found["couponHasApplied"] is True
    (line,) = found["lineItems"]
    assert line["price"]["extendedNetTotal"] == 34.18
    assert found["netTotalDisplay"] == "34.18 EUR"
