"""What Square answers to either create: its own example, and everything unusable."""

from pathlib import Path

import msgspec
import pytest

from service.core.model import (
    Cart,
    CreateRequest,
    Discount,
    LineItem,
    Money,
    Tax,
    Totals,
    TotalsSource,
)
from service.core.ports import ProviderSession
from service.providers.square import created, pricing

FOLDER = Path(__file__).parent / "fixtures"
ORIGINS = ("http://localhost:8080",)


def document(name: str) -> dict[str, dict[str, object]]:
    """Return a fresh copy of a documented body."""
    body: dict[str, dict[str, object]] = msgspec.json.decode(
        (FOLDER / f"{name}.json").read_bytes()
    )["body"]
    return body


def usd(amount: int) -> Money:
    """Return an amount in dollars."""
    return Money(amount, "USD")


SHIRT = LineItem(
    name="Printed T Shirt",
    unit_price=usd(1500),
    quantity=2,
    discounts=(Discount(amount=usd(100)),),
    taxes=(Tax("VAT", "7.75", inclusive=True),),
)
JEANS = LineItem(name="Slim Jeans", unit_price=usd(2500))
SWEATER = LineItem(name="Woven Sweater", unit_price=usd(3500), quantity=3)
SEEDED = CreateRequest(provider="square", cart=Cart(line_items=(SHIRT, JEANS, SWEATER)))
PLAIN = CreateRequest(
    provider="square",
    cart=Cart(line_items=(LineItem(name="Auto Detailing", unit_price=usd(10000)),)),
)


def made(**changes: object) -> ProviderSession:
    """Read the documented answer to a payment link, its link changed."""
    body = document("payment_link")
    return created.link(body | {"payment_link": body["payment_link"] | changes}, PLAIN, ORIGINS)


def test_the_documented_checkout_is_read_and_never_recomputed() -> None:
    """The example's figures follow from no rule: what Square says stands, and the difference is told.

    By the rules, 2 x 15.00 less 1.00 with 7.75 % inside, 25.00 and 3 x 35.00 are 159.00.
    """
    body = document("checkout")
    uids = {"discount_uid": "line-0-discounts-0", "tax_uid": "line-0-taxes-0"}
    text = msgspec.json.encode(body).decode()
    text = text.replace("56ae1696-z1e3-9328-af6d-f1e04d947gd4", uids["discount_uid"])
    text = text.replace("38ze1696-z1e3-5628-af6d-f1e04d947fg3", uids["tax_uid"])
    session = created.checkout(msgspec.json.decode(text), SEEDED, ORIGINS)
    assert session.provider_session_id == "CAISEHGimXh-C3RIT4og1a6u1qw"
    assert session.url.startswith("https://connect.squareup.com/v2/checkout?c=CAISEHGimXh")
    assert session.totals == Totals(
        source=TotalsSource.PROVIDER,
        subtotal=usd(16000),
        discount=usd(100),
        tax=usd(103),
        total=usd(14503),
    )
    assert pricing.totals(SEEDED).total == usd(15900)
    assert [warning.code for warning in session.warnings] == ["TOTALS_DIFFER"]
    assert session.warnings[0].field == "totals.total"
    assert "14503 USD" in session.warnings[0].message
    assert "15900 USD" in session.warnings[0].message
    assert session.references == ()


def test_the_documented_checkouts_details_are_kept() -> None:
    """Everything the common fields lack is told by the contract's names."""
    details = created.checkout(document("checkout"), SEEDED, ORIGINS).details
    lines = details["line_items"]
    assert isinstance(lines, list)
    assert [line["total"]["amount"] for line in lines] == [1503, 2500, 10500]
    assert [line["gross"]["amount"] for line in lines] == [3000, 2500, 10500]
    assert "tax" not in lines[1]
    assert details["create_time"] == "2017-06-16T22:25:35Z"
    assert details["version"] == 1
    assert details["redirect_url"] == "https://merchant.website.com/order-confirm"
    assert details["options"] == {
        "ask_for_shipping_address": True,
        "support_email": "merchant+support@website.com",
        "additional_recipients": [
            {
                "location_id": "057P5VYJ4A5X1",
                "description": "Application fees",
                "amount": {"amount": 60, "currency": "USD"},
            }
        ],
    }


def test_the_documented_payment_link_is_read() -> None:
    """Its order leads to the session, and its total is not the request's."""
    session = made()
    assert session.provider_session_id == "PKVT6XGJZXYUP3NZ"
    assert session.url == "https://square.link/u/EXAMPLE"
    assert session.references == ("order:o4b7saqp4HzhNttf5AJxC0Srjd4F",)
    assert session.totals is not None
    assert session.totals.total == usd(12500)
    assert [warning.code for warning in session.warnings] == ["TOTALS_DIFFER"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"id": ""}, "no_payment_link_id"),
        ({"id": None}, "no_payment_link_id"),
        ({"order_id": None}, "no_order_id"),
        ({"id": 7}, "unreadable_body"),
        ({"url": "https://square.link.evil.example/u/x"}, "foreign_checkout_url"),
        ({"url": "http://square.link/u/x"}, "foreign_checkout_url"),
        ({"url": "https://user@square.link/u/x"}, "foreign_checkout_url"),
        ({"url": "javascript:alert(1)"}, "foreign_checkout_url"),
    ],
)
def test_an_answer_that_is_of_no_use_is_none(changes: dict[str, object], cause: str) -> None:
    """Without ids, or with a page elsewhere, nobody knows what was made."""
    with pytest.raises(ValueError, match=cause):
        made(**changes)


@pytest.mark.parametrize("body", [None, [], {}, {"payment_link": None}, {"checkout": {}}, "no"])
def test_a_body_without_what_was_asked_for_is_unusable(body: object) -> None:
    """A success that holds nothing is none."""
    with pytest.raises(ValueError, match=r"unreadable_body|no_payment_link_id"):
        created.link(body, PLAIN, ORIGINS)
    with pytest.raises(ValueError, match=r"unreadable_body|no_checkout_id"):
        created.checkout(body, PLAIN, ORIGINS)


def test_configured_origins_may_have_pages() -> None:
    """A sandbox of one's own is at an origin of its own."""
    assert made(url="http://localhost:8080/c/1").url == "http://localhost:8080/c/1"


def test_a_link_without_a_page_is_told() -> None:
    """The caller learns that there is nowhere to send the customer."""
    assert "NO_CHECKOUT_URL" in [warning.code for warning in made(url=None).warnings]


def test_options_square_confirmed_are_told() -> None:
    """What came back of the options is read as far as it can be."""
    told = {
        "redirect_url": "https://shop.example",
        "enable_loyalty": True,
        "custom_fields": [{"title": "Size"}, "odd"],
        "app_fee_money": {"amount": 10, "currency": "USD"},
        "shipping_fee": {"name": "Courier", "charge": {"amount": 500, "currency": "USD"}},
        "merchant_support_email": 7,
    }
    details = made(checkout_options=told, payment_note="Note").details
    assert details["redirect_url"] == "https://shop.example"
    assert details["options"] == {
        "note": "Note",
        "loyalty": True,
        "custom_fields": ["Size"],
        "app_fee": {"amount": 10, "currency": "USD"},
        "shipping_fee_name": "Courier",
    }
