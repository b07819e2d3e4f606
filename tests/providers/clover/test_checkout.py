"""What is sent to Clover, byte for byte where it is documented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import BuyerChoices, LineItem, Money, Tax
from service.providers.clover.checkout import checkout_body, rate
from tests.providers.clover.documents import call, document, request


def test_every_field_has_its_documented_place() -> None:
    """The whole of the documented body comes out of the contract's fields."""
    asked = request(
        LineItem(
            name="Mug",
            unit_price=Money(2500, "USD"),
            quantity=2,
            note="Blue",
            taxes=(Tax(name="Sales tax", percentage="6.25"), Tax(name="City tax", percentage="1")),
        ),
        LineItem(product_id="5WB4J4BNZ41V6"),
        success_url="https://shop.example/{SESSION_ID}/done?checkout=%7BCHECKOUT_SESSION_ID%7D",
        failure_url="https://shop.example/failed?order={REFERENCE_ID}&code=%7berror_code%7d",
        cancel_url="https://shop.example/back",
        reference_id="order 42",
        metadata={"order": "42"},
        buyer_choices=BuyerChoices(tipping=True),
        provider_options={"clover": {"page_config_id": "8dc30ba1-0000-4000-8000-000000000001"}},
    )
    assert checkout_body(call(asked)) == document("checkout_request")


def test_the_smallest_body_says_no_more_than_it_must() -> None:
    """What nobody set is left to Clover."""
    body = checkout_body(call(request(LineItem(product_id="5WB4J4BNZ41V6"))))
    assert set(body) == {"customer", "shoppingCart"}
    assert body["shoppingCart"] == {"lineItems": [{"unitQty": 1, "itemRefUuid": "5WB4J4BNZ41V6"}]}


def test_a_refused_tip_is_said() -> None:
    """False is not the same as nothing."""
    asked = request(buyer_choices=BuyerChoices(tipping=False))
    assert checkout_body(call(asked))["tips"] == {"enabled": False}


def test_what_only_looks_like_a_placeholder_stays() -> None:
    """Only Clover's two are decoded, and none that a value of the caller's brings along."""
    asked = request(
        success_url="https://shop.example/%7BOTHER%7D?r={REFERENCE_ID}",
        reference_id="{CHECKOUT_SESSION_ID}",
    )
    assert checkout_body(call(asked))["redirectUrls"] == {
        "success": "https://shop.example/%7BOTHER%7D?r=%7BCHECKOUT_SESSION_ID%7D"
    }


@pytest.mark.parametrize(
    ("percentage", "expected"),
    [("10", 1_000_000), ("6.25", 625_000), ("0", 0), ("0.00001", 1), ("100.00000", 10_000_000)],
)
def test_rates_are_scaled(percentage: str, expected: int) -> None:
    """One percent is 100 000."""
    assert rate(Tax(name="Tax", percentage=percentage)) == expected


@given(st.integers(0, 100), st.integers(0, 99_999))
def test_every_rate_of_five_decimals_is_exact(whole: int, parts: int) -> None:
    """No digit of a percentage is lost on the way."""
    assert rate(Tax(name="Tax", percentage=f"{whole}.{parts:05d}")) == whole * 100_000 + parts


def test_a_finer_rate_is_not_rounded() -> None:
    """What Clover's scale cannot hold is an error."""
    with pytest.raises(ValueError, match=r"1\.000001"):
        rate(Tax(name="Tax", percentage="1.000001"))
