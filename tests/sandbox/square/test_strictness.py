"""Requests that break a documented limit get the documented code and the place of the mistake."""

from typing import Any

import pytest

from tests.sandbox.harness import TOKEN
from tests.sandbox.square.bench import (
    CHECKOUTS,
    LINKS,
    SquareBench,
    checkout_body,
    line,
    link_body,
    money,
    order_body,
)

MISSING = "MISSING_REQUIRED_PARAMETER"
CONFLICTING = "CONFLICTING_PARAMETERS"
QUICK_PAY = {"name": "Tee", "price_money": money(1000), "location_id": "LDEMO"}


def order(**fields: object) -> dict[str, Any]:
    """Build the body of a link around an order."""
    return {"order": order_body(**fields)}


def one(**fields: object) -> dict[str, Any]:
    """Build the body of a link around an order of one line."""
    return order(line_items=[line() | fields])


def options(**fields: object) -> dict[str, Any]:
    """Build the body of a link with options."""
    return link_body(checkout_options=fields)


LINE = "order.line_items[0]"
BAD_LINKS: list[tuple[dict[str, Any], str, str]] = [
    ({}, MISSING, "order"),
    ({"quick_pay": QUICK_PAY, **order()}, CONFLICTING, "quick_pay"),
    ({"quick_pay": QUICK_PAY | {"name": ""}}, "VALUE_EMPTY", "quick_pay.name"),
    ({"quick_pay": QUICK_PAY | {"name": "x" * 256}}, "VALUE_TOO_LONG", "quick_pay.name"),
    ({"quick_pay": {"name": "Tee", "location_id": "LDEMO"}}, MISSING, "quick_pay.price_money"),
    (link_body(redirect_url="https://shop.example"), "UNKNOWN_BODY_PARAMETER", "redirect_url"),
    (link_body(idempotency_key="k" * 193), "VALUE_TOO_LONG", "idempotency_key"),
    (link_body(idempotency_key=1), "EXPECTED_STRING", "idempotency_key"),
    (link_body(description="d" * 4097), "VALUE_TOO_LONG", "description"),
    (link_body(payment_note="n" * 501), "VALUE_TOO_LONG", "payment_note"),
    (link_body(checkout_options=[]), "EXPECTED_OBJECT", "checkout_options"),
    (options(allow_tipping="false"), "EXPECTED_BOOLEAN", "checkout_options.allow_tipping"),
    (
        options(redirect_url="https://e.example/" + "x" * 2031),
        "VALUE_TOO_LONG",
        "checkout_options.redirect_url",
    ),
    (options(redirect_url="shop.example"), "INVALID_VALUE", "checkout_options.redirect_url"),
    (options(redirect_url="https://[::1"), "INVALID_VALUE", "checkout_options.redirect_url"),
    (
        options(merchant_support_email="nobody"),
        "INVALID_EMAIL_ADDRESS",
        "checkout_options.merchant_support_email",
    ),
    (
        options(custom_fields=[{"title": "a"}] * 3),
        "ARRAY_LENGTH_TOO_LONG",
        "checkout_options.custom_fields",
    ),
    (options(custom_fields=[{}]), MISSING, "checkout_options.custom_fields[0].title"),
    (
        options(accepted_payment_methods={"cash": True}),
        "UNKNOWN_BODY_PARAMETER",
        "checkout_options.accepted_payment_methods.cash",
    ),
    (options(app_fee_money=money(901)), "VALUE_TOO_HIGH", "checkout_options.app_fee_money"),
    (
        options(app_fee_money=money(1), subscription_plan_id="plan"),
        CONFLICTING,
        "checkout_options.app_fee_money",
    ),
    (options(shipping_fee={"name": "Post"}), MISSING, "checkout_options.shipping_fee.charge"),
    (
        options(shipping_fee={"charge": money(1, "EUR")}),
        "UNSUPPORTED_CURRENCY",
        "checkout_options.shipping_fee.charge.currency",
    ),
    (
        link_body(pre_populated_data={"buyer_email": "a@b"}),
        "INVALID_EMAIL_ADDRESS",
        "pre_populated_data.buyer_email",
    ),
    (
        link_body(pre_populated_data={"buyer_phone_number": "call me"}),
        "INVALID_PHONE_NUMBER",
        "pre_populated_data.buyer_phone_number",
    ),
    (
        link_body(pre_populated_data={"buyer_address": {"country": "XX"}}),
        "INVALID_ENUM_VALUE",
        "pre_populated_data.buyer_address.country",
    ),
    ({"order": {"line_items": [line()]}}, MISSING, "order.location_id"),
    (order(order=order_body()), "UNKNOWN_BODY_PARAMETER", "order.order"),
    (order(line_items=[]), MISSING, "order.line_items"),
    (order(reference_id="r" * 41), "VALUE_TOO_LONG", "order.reference_id"),
    (order(customer_id="c" * 192), "VALUE_TOO_LONG", "order.customer_id"),
    (order(id="mine"), "BAD_REQUEST", "order.id"),
    (order(total_money=money(1)), "BAD_REQUEST", "order.total_money"),
    (order(total=1), "UNKNOWN_BODY_PARAMETER", "order.total"),
    (order(state="PAID"), "INVALID_ENUM_VALUE", "order.state"),
    (order(fulfillments=[{"type": "PICKUP"}] * 2), "ARRAY_LENGTH_TOO_LONG", "order.fulfillments"),
    (order(metadata={"a" * 61: "x"}), "MAP_KEY_LENGTH_TOO_LONG", "order.metadata"),
    (order(metadata={"": "x"}), "MAP_KEY_LENGTH_TOO_SHORT", "order.metadata"),
    (order(metadata={"a:b": "x"}), "VALUE_REGEX_MISMATCH", "order.metadata"),
    (order(metadata={"a": "x" * 256}), "VALUE_TOO_LONG", "order.metadata.a"),
    (order(metadata={"a": 1}), "EXPECTED_STRING", "order.metadata.a"),
    (
        order(metadata={f"k{number}": "" for number in range(11)}),
        "TOO_MANY_MAP_ENTRIES",
        "order.metadata",
    ),
    (one(name="n" * 513), "VALUE_TOO_LONG", f"{LINE}.name"),
    (one(note="n" * 2001), "VALUE_TOO_LONG", f"{LINE}.note"),
    (one(quantity=2), "EXPECTED_STRING", f"{LINE}.quantity"),
    (one(quantity="two"), "INVALID_VALUE", f"{LINE}.quantity"),
    (one(quantity="1.5"), "INVALID_VALUE", f"{LINE}.quantity"),
    (one(quantity="1" * 13), "VALUE_TOO_LONG", f"{LINE}.quantity"),
    (
        one(quantity="1.234", quantity_unit={"precision": 2}),
        "INVALID_VALUE",
        f"{LINE}.quantity",
    ),
    (one(base_price_money=money(-1)), "VALUE_TOO_LOW", f"{LINE}.base_price_money.amount"),
    (
        one(base_price_money=money(1) | {"amount": 4.99}),
        "EXPECTED_INTEGER",
        f"{LINE}.base_price_money.amount",
    ),
    (
        one(base_price_money=money(1, "usd")),
        "INVALID_ENUM_VALUE",
        f"{LINE}.base_price_money.currency",
    ),
    (
        one(base_price_money=money(1, "EUR")),
        "UNSUPPORTED_CURRENCY",
        f"{LINE}.base_price_money.currency",
    ),
    (
        order(line_items=[{"quantity": "1", "name": "Tee"}]),
        MISSING,
        f"{LINE}.base_price_money",
    ),
    (
        order(line_items=[{"quantity": "1", "base_price_money": money(1)}]),
        MISSING,
        f"{LINE}.name",
    ),
    (
        order(line_items=[{"quantity": "1", "catalog_object_id": "variation_demo_variable"}]),
        MISSING,
        f"{LINE}.base_price_money",
    ),
    (
        order(line_items=[{"quantity": "1", "catalog_object_id": "variation_demo_eur"}]),
        "UNSUPPORTED_CURRENCY",
        f"{LINE}.base_price_money.currency",
    ),
    (one(modifiers=[{"name": "Wrap"}]), MISSING, f"{LINE}.modifiers[0].base_price_money"),
    (
        one(applied_taxes=[{"tax_uid": "t"}]),
        "INVALID_VALUE",
        f"{LINE}.applied_taxes[0].tax_uid",
    ),
    (one(applied_discounts=[{}]), MISSING, f"{LINE}.applied_discounts[0].discount_uid"),
    (order(taxes=[{"name": "VAT"}]), MISSING, "order.taxes[0].percentage"),
    (order(taxes=[{"percentage": "-1"}]), "INVALID_VALUE", "order.taxes[0].percentage"),
    (order(taxes=[{"percentage": 7}]), "EXPECTED_STRING", "order.taxes[0].percentage"),
    (
        order(taxes=[{"percentage": "7", "type": "EXTRA"}]),
        "INVALID_ENUM_VALUE",
        "order.taxes[0].type",
    ),
    (order(discounts=[{"name": "Off"}]), MISSING, "order.discounts[0].percentage"),
    (
        order(discounts=[{"percentage": "5", "amount_money": money(1)}]),
        CONFLICTING,
        "order.discounts[0]",
    ),
    (order(discounts=[{"percentage": "101"}]), "INVALID_VALUE", "order.discounts[0].percentage"),
    (
        order(discounts=[{"percentage": "5", "type": "FIXED_AMOUNT"}]),
        CONFLICTING,
        "order.discounts[0].percentage",
    ),
    (order(service_charges=[{"name": "Fee"}]), MISSING, "order.service_charges[0].percentage"),
    (
        order(
            service_charges=[
                {"percentage": "5", "calculation_phase": "TOTAL_PHASE", "taxable": True}
            ]
        ),
        CONFLICTING,
        "order.service_charges[0].taxable",
    ),
]


@pytest.mark.parametrize(("body", "code", "field"), BAD_LINKS)
async def test_a_link_that_breaks_a_rule_is_refused(
    square: SquareBench, body: dict[str, Any], code: str, field: str
) -> None:
    """The answer is 400 with the code and the path of the mistake, and nothing is made."""
    status, error = await square.refused("POST", LINKS, body)
    assert (status, error["category"]) == (400, "INVALID_REQUEST_ERROR")
    assert (error["code"], error.get("field")) == (code, field)
    assert error["detail"]
    assert list(square.square.sessions()) == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"order": {"order": order_body()}}, MISSING, "idempotency_key"),
        (checkout_body(idempotency_key=""), "VALUE_EMPTY", "idempotency_key"),
        (checkout_body(idempotency_key="k" * 193), "VALUE_TOO_LONG", "idempotency_key"),
        ({"idempotency_key": "k"}, MISSING, "order"),
        ({"idempotency_key": "k", "order": {}}, MISSING, "order.order"),
        (
            checkout_body(redirect_url="https://e.example/" + "x" * 783),
            "VALUE_TOO_LONG",
            "redirect_url",
        ),
        (checkout_body(note="n" * 61), "VALUE_TOO_LONG", "note"),
        (
            checkout_body(merchant_support_email=f"{'a' * 250}@b.co"),
            "VALUE_TOO_LONG",
            "merchant_support_email",
        ),
        (checkout_body(checkout_options={}), "UNKNOWN_BODY_PARAMETER", "checkout_options"),
        (
            checkout_body(order_body(location_id="LDEMO_EUR")),
            "LOCATION_MISMATCH",
            "order.order.location_id",
        ),
        (
            checkout_body(
                additional_recipients=[
                    {"location_id": "L", "description": "Fee", "amount_money": money(901)}
                ]
            ),
            "VALUE_TOO_HIGH",
            "additional_recipients",
        ),
        (
            checkout_body(additional_recipients=[{"location_id": "L", "description": "Fee"}]),
            MISSING,
            "additional_recipients[0].amount_money",
        ),
    ],
)
async def test_a_legacy_checkout_that_breaks_a_rule_is_refused(
    square: SquareBench, body: dict[str, Any], code: str, field: str
) -> None:
    """The older call has limits of its own, and nests its order twice."""
    status, error = await square.refused("POST", CHECKOUTS, body)
    assert (status, error["code"], error["field"]) == (400, code, field)


@pytest.mark.parametrize(
    ("amount", "code"), [(99_999_999, ""), (100_000_000, "AMOUNT_TOO_HIGH"), (0, "AMOUNT_TOO_LOW")]
)
async def test_an_order_must_be_payable(square: SquareBench, amount: int, code: str) -> None:
    """What is too much for a card, or nothing at all, is refused as a whole."""
    status, answer = await square.call("POST", LINKS, one(base_price_money=money(amount)))
    assert [error["code"] for error in answer.get("errors", ())] == ([code] if code else [])
    assert status == (400 if code else 200)


async def test_the_sellers_own_data_must_exist(square: SquareBench) -> None:
    """Unknown locations and catalogue objects are not found; not every location takes cards."""
    status, error = await square.refused("POST", LINKS, order(location_id="LNONE"))
    assert (status, error["code"], error["field"]) == (404, "NOT_FOUND", "order.location_id")
    items = [{"quantity": "1", "catalog_object_id": "tax_demo"}]
    status, error = await square.refused("POST", LINKS, order(line_items=items))
    assert (status, error["field"]) == (404, f"{LINE}.catalog_object_id")
    status, error = await square.refused("POST", LINKS, order(location_id="LDEMO_NO_CARDS"))
    assert (status, error["code"]) == (403, "CARD_PROCESSING_NOT_ENABLED")
    assert error["category"] == "INVALID_REQUEST_ERROR"


async def test_every_mistake_is_told(square: SquareBench) -> None:
    """One answer names all that is wrong with the fields."""
    body = one(quantity=1, colour="red") | {"payment_note": "n" * 501}
    _, answer = await square.call("POST", LINKS, body)
    assert [error["code"] for error in answer["errors"]] == [
        "EXPECTED_STRING",
        "UNKNOWN_BODY_PARAMETER",
        "VALUE_TOO_LONG",
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_not_json_is_refused(square: SquareBench, body: bytes) -> None:
    """Nothing is guessed from bytes that cannot be read."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    async with square.http.post(f"{square.url}{LINKS}", data=body, headers=headers) as response:
        answer = await response.json()
    assert (response.status, answer["errors"][0]["code"]) == (400, "EXPECTED_JSON_BODY")


async def test_a_null_is_an_absent_field(square: SquareBench) -> None:
    """A field sent as null is taken as not sent."""
    await square.link(link_body(description=None, checkout_options=None, quick_pay=None))
    status, error = await square.refused("POST", LINKS, {"order": None})
    assert (status, error["code"]) == (400, MISSING)
