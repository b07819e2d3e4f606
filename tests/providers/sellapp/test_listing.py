"""What SellApp's list of invoices tells, page by page."""

from datetime import UTC, datetime, timedelta

import pytest

from service.core.model import Money, PaymentState
from service.core.ports import PaymentReport, SubscriptionReport
from service.core.window import Window
from service.providers.sellapp.listing import PAGE_SIZE, invoice_id, listed, path, whole
from service.providers.sellapp.transformers import bare
from tests.providers.sellapp.documents import JsonObject, invoice_with

UNTIL = datetime(2024, 1, 9, 16, tzinfo=UTC)
WINDOW = Window(UNTIL - timedelta(hours=1), UNTIL)
DAY = timedelta(days=1)
MADE, PAID = "2024-01-09T14:50:11.000000Z", "2024-01-09T15:30:00.000000Z"


def paid(number: int = 1, **fields: object) -> JsonObject:
    """Return an invoice that was paid within the window."""
    invoice = invoice_with(("PENDING", MADE), ("PAID", PAID), id=number, updated_at=PAID)
    return invoice | fields


def test_pages_are_asked_for_from_the_newest_on() -> None:
    """The list has no filter of times; a buyer's address is quoted."""
    assert path(2) == "/v2/invoices?sort=-created_at&limit=100&page=2"
    assert path(1, "a+b@x.de").startswith("/v2/invoices?email=a%2Bb%40x.de&")


def test_a_payment_is_told_whole() -> None:
    """A list shows what a read does: nothing needs to be asked again."""
    (event,) = listed({"data": [paid(7)]}, WINDOW, DAY).events
    assert (event.event_id, event.references) == ("7:PAID", ("session:7",))
    assert (event.is_hint, invoice_id(event)) == (False, "7")
    report = event.report
    assert isinstance(report, PaymentReport)
    assert (report.status, report.amount) == (PaymentState.PAID, Money(1999, "USD"))
    assert report.payment_time == datetime(2024, 1, 9, 15, 30, tzinfo=UTC)
    later = whole(event, bare(paid(7, **invoice_with(("PAID", PAID), ("REFUNDED", PAID)))))
    assert isinstance(later.report, PaymentReport)
    assert later.report.refunds


def test_what_was_free_is_told_as_authorised() -> None:
    """With the time by SellApp's word, and its subscription where there is one."""
    free = invoice_with(("COMPLETED", PAID), full_price="0", updated_at=PAID, subscription_id=5)
    (event,) = listed({"data": [free]}, WINDOW, DAY).events
    assert isinstance(event.report, SubscriptionReport)
    assert (event.report.authorised, event.report.subscription_id) == (True, "5")
    assert event.report.authorised_time == datetime(2024, 1, 9, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "invoice",
    [
        invoice_with(("PENDING", MADE), updated_at=PAID),
        invoice_with(("VOIDED", PAID), updated_at=PAID),
        paid(updated_at="2024-01-09T14:59:59.999999Z"),
        paid(updated_at="2024-01-09T16:00:00.000001Z"),
    ],
)
def test_what_is_no_payment_or_of_another_time_is_left_out(invoice: JsonObject) -> None:
    """Both ends of the window are within it, and nothing else is."""
    assert listed({"data": [invoice]}, WINDOW, DAY).events == []


def test_one_malformed_invoice_hides_no_other() -> None:
    """It says so, and those beside it are read."""
    odd = paid(1)
    odd["payment"]["full_price"]["total"]["inclusive"] = "19.99"
    first, second = listed({"data": [odd, paid(2)]}, WINDOW, DAY).events
    assert "unreadable_body" in first.unreadable
    assert (first.report, second.unreadable) == (None, "")


@pytest.mark.parametrize(
    ("count", "made", "next_page"),
    [
        (PAGE_SIZE, MADE, "4"),
        (PAGE_SIZE - 1, MADE, ""),
        # Older than any invoice that could have been paid in the window.
        (PAGE_SIZE, "2024-01-08T14:59:59.000000Z", ""),
    ],
)
def test_the_list_is_read_as_far_as_it_can_matter(count: int, made: str, next_page: str) -> None:
    """A full page names the next, until its invoices are too old."""
    page = {"data": [paid(n + 1, created_at=made) for n in range(count)]}
    window = Window(WINDOW.since, WINDOW.until, "3")
    assert listed(page, window, DAY).next_page == next_page


@pytest.mark.parametrize("body", [None, [], {}, {"data": {}}])
def test_what_is_no_list_is_unusable(body: object) -> None:
    """Nothing is taken for an empty page."""
    with pytest.raises(ValueError, match="unreadable_body"):
        listed(body, WINDOW, DAY)
