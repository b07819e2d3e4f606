"""The create, its four fields, and who may call it."""

import re

import pytest

from service.sandbox.clover.request import CustomerRule
from service.sandbox.clover.times import TimeFormat
from tests.sandbox.clover.bench import CREATE, CloverBench, body_with, cart, customer, line

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def test_a_create_answers_four_fields(clover: CloverBench) -> None:
    """An id, a page, and two times fifteen minutes apart; nothing is echoed."""
    created = await clover.create()
    assert set(created) == {"href", "checkoutSessionId", "createdTime", "expirationTime"}
    assert UUID.fullmatch(created["checkoutSessionId"])
    assert created["href"] == f"{clover.url}/checkout/{created['checkoutSessionId']}"
    assert created["expirationTime"] - created["createdTime"] == 15 * 60 * 1000
    assert clover.clover.requests.creates == 1


@pytest.mark.parametrize(
    ("form", "begin", "end"),
    [
        (TimeFormat.SECONDS, 1772366400, 1772367300),
        (TimeFormat.MILLISECONDS, 1772366400250, 1772367300250),
        (TimeFormat.AT_SIGN, "2026-03-01@12:00:00.250+0000", "2026-03-01@12:15:00.250+0000"),
        (TimeFormat.ISO, "2026-03-01T12:00:00.250+0000", "2026-03-01T12:15:00.250+0000"),
    ],
)
async def test_times_come_in_every_form_that_was_seen(
    clover: CloverBench, form: TimeFormat, begin: object, end: object
) -> None:
    """Documents and integrations do not agree on one."""
    clover.clock.forward(milliseconds=250)
    clover.clover.time_format = form
    created = await clover.create()
    assert (created["createdTime"], created["expirationTime"]) == (begin, end)


FIRST, LAST, EMAIL, PHONE = "firstName", "lastName", "email", "phoneNumber"


@pytest.mark.parametrize(
    ("rule", "missing", "refused"),
    [
        (CustomerRule.ALL_FOUR, {PHONE}, "customer.phoneNumber is required"),
        (CustomerRule.ALL_FOUR, {EMAIL}, "customer.email is required"),
        (CustomerRule.NAMES_AND_EMAIL, {PHONE}, None),
        (CustomerRule.NAMES_AND_EMAIL, {LAST}, "customer.lastName is required"),
        (CustomerRule.ANY_OF_THREE, {FIRST, LAST, PHONE}, None),
        (CustomerRule.ANY_OF_THREE, {FIRST, LAST, EMAIL}, "customer needs one of"),
    ],
)
async def test_the_customer_follows_the_chosen_document(
    clover: CloverBench, rule: CustomerRule, missing: set[str], refused: str | None
) -> None:
    """Each generation of the documents wants its own fields."""
    clover.clover.customer_rule = rule
    given = customer(**dict.fromkeys(missing))
    status, answer = await clover.call(body_with(customer=given))
    assert status == (400 if refused else 200)
    assert answer.get("message", "").startswith(refused or "")


async def test_everything_documented_is_taken(clover: CloverBench) -> None:
    """The whole body, and what Clover ignores without a word."""
    sold = line(
        note="Blue",
        taxRates=[{"name": "Tax", "rate": 625_000}],
        discounts=[{"name": "None", "amount": -500}],
        modifications=[{"modifierRefUuid": "x"}],
    )
    stocked = {"itemRefUuid": "item_demo", "unitQty": 2}
    created = await clover.create(
        shoppingCart=cart(sold, stocked, defaultTaxRates=[{"rate": 1}], taxRates=[]),
        redirectUrls={
            "success": "https://shop.example/done?s={CHECKOUT_SESSION_ID}",
            "failure": "https://shop.example/failed?c={ERROR_CODE}",
            "cancel": "https://shop.example/back",
        },
        tips={"enabled": False},
        pageConfigUuid="8dc30ba1",
    )
    session = clover.clover.session(created["checkoutSessionId"])
    # 6.25 % of 10.00, halves up, and two T-shirts: neither the discount nor the cart's tax acts.
    assert session.amount == 1000 + 63 + 2 * 1999


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer \xe9"}, 401),
        ({"X-Clover-Merchant-Id": None}, 400),
        ({"X-Clover-Merchant-Id": "OTHERMERCHANT"}, 401),
        ({"User-Agent": None}, 400),
        ({"User-Agent": "tests"}, 400),
        ({"User-Agent": "Python/3.11 aiohttp/3.13"}, 400),
        ({"Content-Type": "text/plain"}, 400),
        ({"User-Agent": "shop/2"}, 200),
    ],
)
async def test_callers_are_checked(
    clover: CloverBench, headers: dict[str, str | None], status: int
) -> None:
    """Token, merchant and a user agent of product and version, or a refusal with a message."""
    found, answer = await clover.call(body_with(), headers)
    assert found == status
    assert ("message" in answer) == (status != 200)
    assert clover.clover.requests.count(method="POST", route=CREATE) == 1


async def test_there_is_no_other_call(clover: CloverBench) -> None:
    """Nothing is documented to read or to end a checkout."""
    path = f"{clover.url}{CREATE}"
    session_id = (await clover.create())["checkoutSessionId"]
    for method, address, status in (
        ("GET", path, 405),
        ("GET", f"{path}/{session_id}", 404),
        ("DELETE", f"{path}/{session_id}", 404),
    ):
        async with clover.http.request(method, address) as response:
            assert response.status == status
            assert "message" in await response.json()
