"""The emulator refuses what the documents do not allow, each mistake with its code and its path."""

import pytest

from tests.sandbox.fastspring.bench import SESSIONS, FastspringBench, authorization, cart, item

LINE = "cart.lineItems[0]"


def custom(**fields: object) -> dict[str, object]:
    """Build the fields of a body whose line has a price of its own."""
    return {"cart": cart(item(customPrice=fields))}


WRONG: list[tuple[dict[str, object], list[tuple[str, str]]]] = [
    ({"language": "en"}, [("UNKNOWN_FIELD", "language")]),
    ({"locale": "en-USA"}, [("INVALID_LENGTH", "locale")]),
    ({"live": "yes"}, [("INVALID_BOOLEAN", "live")]),
    ({"buyerIp": "1" * 40}, [("INVALID_LENGTH", "buyerIp")]),
    ({"orderTags": {"a": 1}}, [("INVALID_TYPE", "orderTags.a")]),
    ({"orderTags": []}, [("INVALID_TYPE", "orderTags")]),
    ({"paymentMethodsOrder": ["card"]}, [("INVALID_VALUE", "paymentMethodsOrder[0]")]),
    ({"hidePaymentMethods": "CARD"}, [("INVALID_TYPE", "hidePaymentMethods")]),
    ({"customer": {"name": "x"}}, [("UNKNOWN_FIELD", "customer.name")]),
    (
        {"customer": {"externalAccountId": "abc"}},
        [("INVALID_FORMAT", "customer.externalAccountId")],
    ),
    ({"customer": {"shipToType": "GIFT"}}, [("INVALID_VALUE", "customer.shipToType")]),
    (
        {"customer": {"billToContact": {"email": "x", "firstName": "x" * 51}}},
        [
            ("INVALID_EMAIL_FORMAT", "customer.billToContact.email"),
            ("INVALID_LENGTH", "customer.billToContact.firstName"),
        ],
    ),
    ({"cart": cart({})}, [("REQUIRED_FIELD", f"{LINE}.productPath")]),
    ({"cart": cart(item("nowhere"))}, [("INVALID_PRODUCT_PATH", f"{LINE}.productPath")]),
    ({"cart": cart(item(quantity=0))}, [("INVALID_NUMBER", f"{LINE}.quantity")]),
    ({"cart": cart(item(quantity=1.5))}, [("INVALID_NUMBER", f"{LINE}.quantity")]),
    ({"cart": cart(item(quantity=True))}, [("INVALID_NUMBER", f"{LINE}.quantity")]),
    (
        {"cart": cart(item(quantityBehavior="lock"))},
        [("INVALID_VALUE", f"{LINE}.quantityBehavior")],
    ),
    (
        {"cart": cart(item(descriptions={"display": {"xx": "Tee"}}))},
        [("INVALID_LOCALE", f"{LINE}.descriptions.display.xx")],
    ),
    (
        {"cart": cart(item(descriptions={"summary": {"en": "x" * 513}}))},
        [("INVALID_LENGTH", f"{LINE}.descriptions.summary.en")],
    ),
    (custom(unitPrice={"KWD": 1}), [("INVALID_CURRENCY", f"{LINE}.customPrice.unitPrice.KWD")]),
    (custom(unitPrice={"USD": 1.005}), [("INVALID_PRICE", f"{LINE}.customPrice.unitPrice.USD")]),
    (custom(unitPrice={"JPY": 1.5}), [("INVALID_PRICE", f"{LINE}.customPrice.unitPrice.JPY")]),
    (custom(unitPrice={"USD": "1.00"}), [("INVALID_PRICE", f"{LINE}.customPrice.unitPrice.USD")]),
    (custom(unitPrice={"USD": -1}), [("INVALID_PRICE", f"{LINE}.customPrice.unitPrice.USD")]),
    (
        custom(discounts=[{"percentDiscount": 12.5}]),
        [("INVALID_NUMBER", f"{LINE}.customPrice.discounts[0].percentDiscount")],
    ),
    (
        {"cart": cart(item(subscriptionOverrides={"billingFrequency": {"intervalUnit": "month"}}))},
        [("INVALID_VALUE", f"{LINE}.subscriptionOverrides.billingFrequency.intervalUnit")],
    ),
    ({"cart": 5}, [("INVALID_TYPE", "cart")]),
]


@pytest.mark.parametrize(("fields", "expected"), WRONG)
async def test_each_mistake_is_named(
    fields: dict[str, object], expected: list[tuple[str, str]], fastspring: FastspringBench
) -> None:
    """By the path into the body, and everything at once."""
    assert await fastspring.refused(**fields) == expected
    assert not [*fastspring.fastspring.sessions()]


@pytest.mark.parametrize("body", ["{", "[]", '"x"', ""])
async def test_what_is_no_json_object_is_refused(body: str, fastspring: FastspringBench) -> None:
    """A body that cannot be read, or is none."""
    async with fastspring.http.post(
        f"{fastspring.url}{SESSIONS}",
        data=body,
        headers={"content-type": "application/json", **authorization()},
    ) as response:
        assert response.status == 400


async def test_the_content_type_is_json(fastspring: FastspringBench) -> None:
    """A form is not taken for JSON."""
    async with fastspring.http.post(
        f"{fastspring.url}{SESSIONS}", data={"live": "x"}, headers=authorization()
    ) as response:
        assert response.status == 415
