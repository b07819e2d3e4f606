"""A cart costs what the catalogue, the codes and the buyer's choices make of it."""

from typing import Any

import pytest

from service.sandbox.dodo.catalogue import demo_catalogue
from service.sandbox.dodo.payloads import encode
from service.sandbox.dodo.pricing import price
from service.sandbox.dodo.request import CheckoutRequest, decode
from tests.sandbox.harness import body_with, item


def request(**fields: object) -> CheckoutRequest:
    """Build a decoded body."""
    return decode(encode(body_with(**fields)))


@pytest.mark.parametrize(
    ("fields", "subtotal", "discount", "tax", "total"),
    [
        ({}, 1999, 0, 0, 1999),
        ({"product_cart": [item("pdt_demo", 3)]}, 5997, 0, 0, 5997),
        ({"product_cart": [item("pdt_demo", 0)]}, 0, 0, 0, 0),
        ({"discount_code": "DEMO10"}, 1999, 200, 0, 1799),
        ({"discount_code": "DEMO500"}, 1999, 500, 0, 1499),
        ({"discount_codes": ["DEMO10", "DEMO500"]}, 1999, 700, 0, 1299),
        ({"discount_codes": ["DEMO500", "DEMO10"]}, 1999, 650, 0, 1349),
        ({"discount_codes": ["DEMO500"] * 5}, 1999, 1999, 0, 0),
        ({"product_cart": [item("pdt_demo_taxed")]}, 1000, 0, 100, 1100),
        ({"product_cart": [item("pdt_demo_inclusive")]}, 2400, 0, 400, 2400),
        ({"product_cart": [item("pdt_demo_jpy", 2)]}, 5000, 0, 0, 5000),
        ({"product_cart": [item("pdt_demo_pwyw", amount=725)]}, 725, 0, 0, 725),
        ({"product_cart": [item("pdt_demo_pwyw")]}, 1500, 0, 0, 1500),
        (
            {"product_cart": [item("pdt_demo_taxed"), item("pdt_demo")], "discount_code": "DEMO10"},
            2999,
            300,
            90,
            2789,
        ),
    ],
)
def test_totals(fields: dict[str, Any], subtotal: int, discount: int, tax: int, total: int) -> None:
    """Quantities, codes in their order, added and included tax, and half cents rounded up."""
    cart = price(request(**fields), demo_catalogue())
    assert (cart.subtotal, cart.discount, cart.tax, cart.total) == (subtotal, discount, tax, total)


@pytest.mark.parametrize(
    ("data", "due", "currency"),
    [
        ({}, 1500, "USD"),
        ({"trial_period_days": 0}, 1500, "USD"),
        ({"trial_period_days": 14}, 0, "USD"),
        ({"on_demand": {"mandate_only": True, "product_price": 700}}, 0, "USD"),
        ({"on_demand": {"mandate_only": False, "product_price": 700}}, 700, "USD"),
        (
            {
                "on_demand": {
                    "mandate_only": False,
                    "product_price": 700,
                    "product_currency": "EUR",
                }
            },
            700,
            "EUR",
        ),
    ],
)
def test_what_a_plan_costs_now(data: dict[str, Any], due: int, currency: str) -> None:
    """A trial or a bare mandate costs nothing now; an on-demand price replaces the plan's."""
    addons = [{"addon_id": "adn_demo", "quantity": 2}]
    cart = price(
        request(
            product_cart=[item("pdt_demo_subscription", addons=addons)], subscription_data=data
        ),
        demo_catalogue(),
    )
    assert (cart.total, cart.currency) == (due, currency)
    assert cart.lines[0].recurring == 1500


def test_the_buyer_chooses_an_amount_and_a_code() -> None:
    """What the buyer enters on the page counts where the request leaves it open."""
    cart = price(
        request(product_cart=[item("pdt_demo_pwyw")]),
        demo_catalogue(),
        amounts={0: 2000},
        extra_codes=["DEMO10"],
    )
    assert cart.total == 1800
