"""FastSpring's answers to the model, checked on the documented answer and on odd ones."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from checkout.v1 import fastspring_options_pb2
from service.core.model import Address, Customer, Money, Totals, TotalsSource
from service.core.ports import ProviderSession
from service.providers.fastspring.transformers import created, retrieved, session_of
from tests.providers.fastspring.documents import document, request


def answer(**changes: object) -> dict[str, Any]:
    """Return the documented answer, changed."""
    return document("session_created") | changes


def cart(**changes: object) -> dict[str, Any]:
    """Return the documented cart, changed."""
    found: dict[str, Any] = document("session_created")["cart"]
    return found | changes


def made(body: object, *, live: bool = False) -> ProviderSession:
    """Read an answer to a create."""
    return created(body, request(), frozenset({"https://pay.shop.example"}), live=live)


def usd(amount: int) -> dict[str, object]:
    """Return an amount as details have it."""
    return {"amount": amount, "currency": "USD"}


def codes(session: ProviderSession) -> list[str]:
    """Return the codes of a session's warnings."""
    return [warning.code for warning in session.warnings]


def test_the_documented_answer_is_read_whole() -> None:
    """Id, page, end, mode and totals; taxes are added to these prices."""
    session = made(answer())
    assert session.provider_session_id == "OS0123456789"
    assert session.url == "https://shop.onfastspring.com/checkout/session/OS0123456789"
    assert session.payable_until == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert session.live is False
    assert session.warnings == ()
    assert session.totals == Totals(
        source=TotalsSource.PROVIDER,
        subtotal=Money(10010, "USD"),
        discount=Money(1901, "USD"),
        tax=Money(743, "USD"),
        total=Money(8852, "USD"),
    )


def test_details_hold_what_the_common_fields_lack() -> None:
    """Every figure is exact, by line and for the order."""
    assert made(answer()).details == {
        "create_time": "2026-03-01T12:00:00Z",
        "country": "US",
        "locale": "en",
        "checkout_statuses": ["READY_FOR_CHECKOUT"],
        "tax_included": False,
        "tax_percentage": "8.25",
        "discount_code_applied": True,
        "discount_code_amount": usd(901),
        "product_discount_amount": usd(1000),
        "saved_payment_method": {"type": "CARD", "display": "Visa ending in 4242"},
        "line_items": [
            {
                "product_id": "sample-stuff",
                "product_type": "ONE_TIME",
                "product_format": "DIGITAL",
                "unit_list_price": usd(5005),
                "unit_net_price": usd(4505),
                "list_total": usd(10010),
                "discount_total": usd(1000),
                "net_total": usd(9010),
                "tax_total": usd(743),
                "tax_percentage": "8.25",
                "tax_included": False,
                "tax_exempt": False,
                "removable": True,
            }
        ],
    }


def test_details_fill_every_field_of_their_message() -> None:
    """The contract has a place for each of them, and none of its own without one."""
    filled = {
        name: True if value is False else value for name, value in made(answer()).details.items()
    }
    lines = filled["line_items"]
    assert isinstance(lines, list)
    filled["line_items"] = [
        {name: True if value is False else value for name, value in line.items()} for line in lines
    ]
    message = ParseDict(filled, fastspring_options_pb2.FastspringDetails())
    for part in (message, message.line_items[0], message.saved_payment_method):
        names = {field.name for field, _ in part.ListFields()}
        assert names == {field.name for field in part.DESCRIPTOR.fields}


def test_taxes_in_the_price_are_part_of_the_subtotal() -> None:
    """The sums that contain the taxes are the ones to show."""
    included = {
        "taxIncluded": "TAXES_INCLUDED_IN_PRICE",
        "withTaxListTotal": Decimal("119.00"),
        "withTaxNetTotal": Decimal("119.00"),
        "taxTotal": 19,
    }
    totals = made(answer(cart=cart(**included))).totals
    assert totals is not None
    assert (totals.subtotal, totals.total) == (Money(11900, "USD"), Money(11900, "USD"))
    assert totals.tax == Money(1900, "USD")


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({"withTaxNetTotal": None, "taxIncluded": "TAXES_ADDED_TO_PRICE"}, None),
        ({"withTaxNetTotal": None, "taxIncluded": "TAXES_INCLUDED_IN_PRICE"}, Money(8109, "USD")),
        ({"withTaxNetTotal": Decimal("88.525")}, None),
    ],
)
def test_an_ambiguous_total_is_none(changes: dict[str, object], total: Money | None) -> None:
    """A net total alone may or may not contain the taxes, and a finer one is not rounded."""
    totals = made(answer(cart=cart(**changes))).totals
    assert (totals and totals.total) == total


def test_figures_that_do_not_fit_are_named() -> None:
    """The rest of the answer stands."""
    session = made(answer(cart=cart(taxTotal=Decimal("7.4315"), listTotal=1)))
    assert codes(session) == ["AMOUNT_NOT_EXACT"]
    assert "taxTotal" in session.warnings[0].message
    assert session.totals is not None
    assert session.totals.tax is None


@pytest.mark.parametrize("value", [None, 5, "x", {"netTotal": "many"}, {"lineItems": 1}])
def test_a_cart_of_another_shape_costs_no_session(value: object) -> None:
    """The page is there, and its totals are unknown."""
    session = made(answer(cart=value))
    assert session.url
    assert session.totals is None


@pytest.mark.parametrize("currency", [None, "XXX", "usd", ""])
def test_an_unknown_currency_has_no_totals(currency: object) -> None:
    """A number without its currency is no amount."""
    session = made(answer(currency=currency))
    assert session.totals is None
    assert codes(session) == ["AMOUNT_NOT_EXACT"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02T13:00:00.000+0100", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02T12:00:00", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        (1772452800000, datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("tomorrow", None),
        (10**30, None),
        (True, None),
        (None, None),
    ],
)
def test_times_in_every_notation(value: object, expected: datetime | None) -> None:
    """Texts and milliseconds are read, and a page without a known end keeps the documented one."""
    assert made(answer(expires=value)).payable_until == expected


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://shop.onfastspring.com/checkout/session/OS1", True),
        ("https://shop.test.onfastspring.com/session/OS1", True),
        ("https://pay.shop.example/session/OS1", True),
        ("http://shop.onfastspring.com/session/OS1", False),
        ("https://onfastspring.com.evil.example/session/OS1", False),
        ("https://user@shop.onfastspring.com/session/OS1", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_fastsprings_pages_are_handed_out(url: str, taken: bool) -> None:
    """Or those of an origin that the operator named."""
    body = answer(checkoutUrls={"webcheckoutUrl": url})
    if taken:
        assert made(body).url == url
    else:
        with pytest.raises(ValueError, match="foreign_checkout_url"):
            made(body)


@pytest.mark.parametrize("urls", [None, {}, {"webcheckoutUrl": None}])
def test_a_checkout_without_a_page_is_told(urls: object) -> None:
    """A session without an address exists all the same."""
    session = made(answer(checkoutUrls=urls))
    assert (session.url, codes(session)) == ("", ["NO_CHECKOUT_URL"])


@pytest.mark.parametrize("body", [None, [], "x", {}, {"id": None}, {"id": ""}, {"id": 5}])
def test_an_answer_without_an_id_is_unusable(body: object) -> None:
    """Whether a session was made cannot be told."""
    with pytest.raises(ValueError, match=r"no_session_id|unreadable_body"):
        made(body)


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [(True, True, []), (False, False, []), (None, True, []), (False, True, ["CHECKOUT_NOT_LIVE"])],
)
def test_another_mode_than_asked_for_is_told_once(
    told: bool | None, asked: bool, expected: list[str]
) -> None:
    """By FastSpring's own warning or, where it gives none, by ours."""
    assert codes(made(answer(live=told), live=asked)) == expected
    theirs = [{"code": "CHECKOUT_NOT_LIVE", "field": "live", "message": "test mode"}]
    both = made(answer(live=told, warnings=theirs), live=asked)
    assert codes(both) == ["CHECKOUT_NOT_LIVE"]
    assert both.live is told


def test_a_live_session_that_was_to_be_a_test_is_told() -> None:
    """Real money would move where none was to."""
    session = made(answer(live=True), live=False)
    assert (session.live, codes(session)) == (True, ["CHECKOUT_NOT_LIVE"])
    assert "a live session" in session.warnings[0].message


def test_warnings_name_our_fields_and_nobodys_data() -> None:
    """A text that quotes the buyer is cleaned, and an unknown field keeps FastSpring's name."""
    customer = Customer(
        tax_id="DE-CANARY", billing_address=Address(country="US", postal_code="CAN4RY")
    )
    warnings = [
        {"code": "INVALID_TAX_ID", "field": "customer.taxId", "message": "DE-CANARY is wrong"},
        {"code": "INVALID_POSTAL_CODE", "field": "zip", "message": "CAN4RY of ada@example.com"},
        {"field": None, "message": None},
        "nonsense",
    ]
    session = created(answer(warnings=warnings), request(customer=customer), (), live=False)
    assert [(told.code, told.field, told.message) for told in session.warnings] == [
        ("INVALID_TAX_ID", "customer.tax_id", "[redacted] is wrong"),
        ("INVALID_POSTAL_CODE", "zip", "[redacted] of [redacted]"),
        ("FASTSPRING", "", ""),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("OPEN", []),
        ("PENDING_ORDER", []),
        ("COMPLETED", []),
        ("EXPIRED", ["PROVIDER_SESSION_ENDED"]),
        ("CANCELLED", ["PROVIDER_SESSION_ENDED"]),
        ("FAILED", ["PROVIDER_SESSION_ENDED"]),
        ("SOMETHING", ["UNKNOWN_SESSION_STATUS"]),
        (None, ["UNKNOWN_SESSION_STATUS"]),
    ],
)
def test_a_session_that_was_read_says_how_it_stands(
    status: str | None, expected: list[str]
) -> None:
    """The end of a page at FastSpring is told, and an unknown word is no reason to guess."""
    assert codes(retrieved(session_of(answer(status=status)))) == expected


def test_no_code_given_says_nothing_of_a_code() -> None:
    """Absent means that none was given."""
    body = answer(cart=cart(couponCode=None, couponHasApplied=False))
    assert "discount_code_applied" not in made(body).details
    refused = answer(cart=cart(couponHasApplied=False))
    assert made(refused).details["discount_code_applied"] is False
