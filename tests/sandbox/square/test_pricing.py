"""Orders are priced by Square's published rules and come out at Square's published numbers.

Sources: the CreateOrder and CalculateOrder examples of connect-api-specification, and figures that
sellers have reported on developer.squareup.com/forums.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sandbox.square.pricing import share
from tests.sandbox.square.bench import SquareBench, line, link_body, money, order_body


async def test_the_published_example_comes_out(square: SquareBench) -> None:
    """Percentages compound, order amounts are rounded once and shared, a line's amount comes last."""
    discounts = [
        {"uid": "sale", "percentage": "5", "scope": "ORDER"},
        {"uid": "member", "catalog_object_id": "discount_demo", "scope": "ORDER"},
        {"uid": "dollar", "amount_money": money(100), "scope": "LINE_ITEM"},
    ]
    items = [
        line(1599),
        line(
            2200,
            "2",
            modifiers=[{"catalog_object_id": "modifier_demo"}],
            applied_discounts=[{"discount_uid": "dollar"}],
        ),
    ]
    taxes = [{"uid": "state", "percentage": "9", "scope": "ORDER"}]
    order = await square.priced(line_items=items, discounts=discounts, taxes=taxes)
    first, second = order["line_items"]
    assert [_applied(first, "discounts"), _applied(second, "discounts")] == [
        {"sale": 79, "member": 8},
        {"sale": 224, "member": 22, "dollar": 100},
    ]
    assert _amounts(first) == (1599, 87, 136, 1648)
    assert _amounts(second) == (4500, 346, 374, 4528)
    assert _applied(first, "taxes") == {"state": 136}
    applied = {item["uid"]: item["applied_money"]["amount"] for item in order["discounts"]}
    assert applied == {"sale": 303, "member": 30, "dollar": 100}
    assert _totals(order) == (433, 510, 6176)
    assert order["taxes"][0]["applied_money"] == money(510)
    assert second["modifiers"][0]["total_price_money"] == money(100)
    assert second["variation_total_price_money"] == money(4400)


@pytest.mark.parametrize(
    ("items", "adjustments", "expected"),
    [
        ([line(500), line(300, "2")], {"discounts": [{"percentage": "50"}]}, (550, 0, 550)),
        ([line(500), line(200, "2")], {}, (0, 0, 900)),
        ([line(1599), line(2000, "3")], {}, (0, 0, 7599)),
        ([line(600)], {"taxes": [{"percentage": "11.75"}]}, (0, 70, 670)),
        ([line(3020)], {"taxes": [{"percentage": "11.75"}]}, (0, 355, 3375)),
        (
            [line(1500), line(800), line(695), line(695)],
            {"taxes": [{"percentage": "8.875"}]},
            (0, 327, 4017),
        ),
        ([line(200)], {"taxes": [{"percentage": "5"}]}, (0, 10, 210)),
        ([line(100)], {"taxes": [{"percentage": "10", "type": "INCLUSIVE"}]}, (0, 9, 100)),
    ],
)
async def test_reported_numbers_come_out(
    square: SquareBench,
    items: list[Any],
    adjustments: dict[str, Any],
    expected: tuple[int, int, int],
) -> None:
    """Halves go to the even unit, and an order's tax is rounded once."""
    assert _totals(await square.priced(line_items=items, **adjustments)) == expected


async def test_the_example_of_the_legacy_call_is_not_followed(square: SquareBench) -> None:
    """Its printed total of 14503 contradicts its own inputs; the rules make 15900 of them."""
    items = [
        line(
            1500, "2", applied_taxes=[{"tax_uid": "t"}], applied_discounts=[{"discount_uid": "d"}]
        ),
        line(2500),
        line(3500, "3"),
    ]
    taxes = [{"uid": "t", "type": "INCLUSIVE", "percentage": "7.75", "scope": "LINE_ITEM"}]
    discounts = [{"uid": "d", "amount_money": money(100), "scope": "LINE_ITEM"}]
    order = await square.priced(line_items=items, taxes=taxes, discounts=discounts)
    assert _totals(order) == (100, 209, 15900)
    assert _amounts(order["line_items"][0]) == (3000, 100, 209, 2900)


async def test_a_shipping_fee_becomes_a_service_charge(square: SquareBench) -> None:
    """The fee is added after discounts and is not taxed."""
    order = order_body(
        discounts=[{"percentage": "10"}], taxes=[{"percentage": "10"}], line_items=[line(1000)]
    )
    fee = {"name": "Post", "charge": money(500)}
    link = await square.link(link_body(order=order, checkout_options={"shipping_fee": fee}))
    found = await square.order_of(link)
    (charge,) = found["service_charges"]
    assert (charge["name"], charge["applied_money"], charge["total_tax_money"]) == (
        "Post",
        money(500),
        money(0),
    )
    assert found["total_service_charge_money"] == money(500)
    assert _totals(found) == (100, 90, 1490)


async def test_charges_come_before_or_after_tax(square: SquareBench) -> None:
    """A taxable charge is taxed with the order; one of the total phase is a share of all that."""
    charges = [
        {"uid": "a", "amount_money": money(200), "taxable": True},
        {"uid": "b", "percentage": "10", "calculation_phase": "TOTAL_PHASE"},
    ]
    order = await square.priced(taxes=[{"uid": "t", "percentage": "10"}], service_charges=charges)
    first, second = order["service_charges"]
    assert (first["total_tax_money"], first["total_money"]) == (money(20), money(220))
    assert first["applied_taxes"][0]["tax_uid"] == "t"
    assert second["total_money"] == money(132)
    assert _totals(order) == (0, 120, 1452)


async def test_apportioned_charges_are_taxed_with_their_lines(square: SquareBench) -> None:
    """Their shares belong to the lines, percentages before amounts."""
    charges = [
        {"uid": "a", "amount_money": money(100), "calculation_phase": "APPORTIONED_AMOUNT_PHASE"},
        {
            "uid": "p",
            "percentage": "10",
            "calculation_phase": "APPORTIONED_PERCENTAGE_PHASE",
            "scope": "LINE_ITEM",
        },
    ]
    items = [line(1000, applied_service_charges=[{"service_charge_uid": "p"}]), line(900)]
    order = await square.priced(
        line_items=items, service_charges=charges, taxes=[{"percentage": "10"}]
    )
    first, second = order["line_items"]
    assert (first["total_service_charge_money"], second["total_service_charge_money"]) == (
        money(155),
        money(45),
    )
    assert order["total_service_charge_money"] == money(200)
    assert _totals(order) == (0, 210, 2310)


async def test_no_tax_is_computed_on_another(square: SquareBench) -> None:
    """Beside a tax inside the price, one on top falls on what is left without it."""
    taxes = [{"percentage": "20", "type": "INCLUSIVE"}, {"percentage": "10"}]
    assert _totals(await square.priced(line_items=[line(1200)], taxes=taxes)) == (0, 300, 1300)


async def test_a_discount_never_takes_more_than_there_is(square: SquareBench) -> None:
    """An amount above the line's price makes the line free, not negative."""
    discounts = [{"uid": "d", "amount_money": money(5000), "scope": "LINE_ITEM"}]
    items = [line(1000, applied_discounts=[{"discount_uid": "d"}]), line(1)]
    order = await square.priced(line_items=items, discounts=discounts)
    assert _totals(order) == (1000, 0, 1)


async def test_parts_of_units_are_priced(square: SquareBench) -> None:
    """A quantity with decimals is exact until its one rounding."""
    items = [line(999, "1.255", quantity_unit={"precision": 3})]
    assert _totals(await square.priced(line_items=items)) == (0, 0, 1254)


@given(
    amount=st.integers(0, 10**9),
    weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
)
def test_a_share_loses_nothing(amount: int, weights: list[int]) -> None:
    """Parts add up, stay within a unit of what is exact, and weightless lines get nothing."""
    parts = share(amount, weights)
    total = sum(weights)
    assert sum(parts) == (amount if total else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - amount * weight) < max(total, 1)
        assert weight or not part


def _applied(item: dict[str, Any], kind: str) -> dict[str, int]:
    reference = {"discounts": "discount_uid", "taxes": "tax_uid"}[kind]
    return {use[reference]: use["applied_money"]["amount"] for use in item[f"applied_{kind}"]}


def _amounts(item: dict[str, Any]) -> tuple[int, ...]:
    names = ("gross_sales_money", "total_discount_money", "total_tax_money", "total_money")
    return tuple(item[name]["amount"] for name in names)


def _totals(order: dict[str, Any]) -> tuple[int, ...]:
    names = ("total_discount_money", "total_tax_money", "total_money")
    return tuple(order[name]["amount"] for name in names)
