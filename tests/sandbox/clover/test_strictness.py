"""Bodies that break a documented rule are refused with the place of the mistake."""

from typing import Any

import pytest

from tests.sandbox.clover.bench import CloverBench, body_with, cart, customer, line


def one(**fields: object) -> dict[str, Any]:
    """Build a body of one line with fields."""
    return body_with(shoppingCart=cart(line() | fields))


def sold(item: object) -> dict[str, Any]:
    """Build a body of one item."""
    return body_with(shoppingCart=cart(item))


def urls(**fields: object) -> dict[str, Any]:
    """Build a body with return addresses."""
    return body_with(redirectUrls=fields)


BAD = [
    ([], "Expected `object`"),
    ({"shoppingCart": cart()}, "required field `customer`"),
    ({"customer": customer()}, "required field `shoppingCart`"),
    (body_with(currency="USD"), "unknown field `currency`"),
    (body_with(externalReferenceId="7"), "unknown field `externalReferenceId`"),
    (body_with(customer=None), "$.customer"),
    (body_with(customer=customer(email="ada@")), "customer.email"),
    (body_with(customer=customer(email=7)), "$.customer.email"),
    (body_with(customer=customer(phone="+1")), "unknown field `phone`"),
    (body_with(shoppingCart={}), "required field `lineItems`"),
    (body_with(shoppingCart={"lineItems": []}), "$.shoppingCart.lineItems"),
    (body_with(shoppingCart=cart(discounts=[])), "unknown field `discounts`"),
    (one(price=-1), "$.shoppingCart.lineItems[0].price"),
    (one(price=10.5), "$.shoppingCart.lineItems[0].price"),
    (one(price="1000"), "$.shoppingCart.lineItems[0].price"),
    (one(price=0), "nothing to pay"),
    (one(unitQty=0), "$.shoppingCart.lineItems[0].unitQty"),
    (one(unitQty=1.5), "$.shoppingCart.lineItems[0].unitQty"),
    (sold(line() | {"quantity": 1}), "unknown field `quantity`"),
    (one(name=""), "$.shoppingCart.lineItems[0].name"),
    (one(taxRates=[{"id": "TAX1"}]), "$.shoppingCart.lineItems[0].taxRates[0]"),
    (one(taxRates=[{"name": "T", "rate": 6.25}]), "taxRates[0].rate"),
    (one(taxRates=[{"name": "T", "rate": -1}]), "taxRates[0].rate"),
    (sold({"unitQty": 1, "name": "Item"}), "either itemRefUuid or name and price"),
    (sold({"unitQty": 1, "price": 5}), "either itemRefUuid or name and price"),
    (sold({"name": "Item", "price": 5}), "required field `unitQty`"),
    (sold({"unitQty": 1, "itemRefUuid": "nothing"}), "lineItems[0].itemRefUuid"),
    (urls(success="http://shop.example/"), "$.redirectUrls.success"),
    (urls(failure="shop.example"), "$.redirectUrls.failure"),
    (urls(cancel="https://"), "$.redirectUrls.cancel"),
    (urls(done="https://shop.example/"), "unknown field `done`"),
    (body_with(tips={}), "required field `enabled`"),
    (body_with(tips={"enabled": "true"}), "$.tips.enabled"),
    (body_with(pageConfigUuid=""), "$.pageConfigUuid"),
]


@pytest.mark.parametrize(("body", "place"), BAD, ids=[str(number) for number in range(len(BAD))])
async def test_a_mistake_is_refused_and_named(
    clover: CloverBench, body: object, place: str
) -> None:
    """400 with a message, and nothing is made."""
    status, answer = await clover.call(body)
    assert (status, list(answer)) == (400, ["message"])
    assert place in answer["message"]
    assert clover.clover.requests.creates == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"customer":' * 3000])
async def test_what_is_no_json_is_refused(clover: CloverBench, body: bytes) -> None:
    """The same answer, and no failure of the emulator's own."""
    headers = {
        "Authorization": "Bearer sandbox-token",
        "User-Agent": "tests/1",
        "X-Clover-Merchant-Id": "DEMOMERCHANT1",
        "Content-Type": "application/json",
    }
    address = f"{clover.url}/invoicingcheckoutservice/v1/checkouts"
    async with clover.http.post(address, data=body, headers=headers) as response:
        assert response.status == 400
        assert list(await response.json()) == ["message"]


async def test_a_free_line_may_stand_beside_others(clover: CloverBench) -> None:
    """Only the whole must not be free."""
    created = await clover.create(shoppingCart=cart(line(0), line(500)))
    assert clover.clover.session(created["checkoutSessionId"]).amount == 500
