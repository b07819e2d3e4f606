"""From SellApp's invoices to the model."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import (
    DisputeStatus,
    Money,
    PaymentState,
    TotalsSource,
    UnknownOutcomeStrategy,
)
from service.providers.sellapp import transformers
from service.providers.sellapp.transformers import bare, checked_out, found, retrieved, wrapped
from tests.providers.sellapp.documents import fixture, invoice_with

EARLY, LATER, LAST = (f"2024-01-09T1{hour}:00:00.000000Z" for hour in (5, 6, 7))
MINOR_UNITS = st.integers(0, 10**15 - 1)


def at(hour: int) -> datetime:
    """Return a time of the documents' day."""
    return datetime(2024, 1, 9, hour, tzinfo=UTC)


def answered(url: object) -> dict[str, object]:
    """Return the answer of a checkout."""
    return {"message": "Made.", "payment_url": url, "invoice": invoice_with()}


def test_the_documents_checkout_is_read() -> None:
    """Page, end, totals and buyer are where the session expects them."""
    session = checked_out(fixture("checkout"), ())
    assert session.provider_session_id == "1"
    assert session.url == "https://commerce.coinbase.com/charges/CQEGF35V"
    assert session.payable_until == datetime(2024, 1, 9, 23, 50, 11, tzinfo=UTC)
    assert session.totals is not None
    assert session.totals.source is TotalsSource.PROVIDER
    assert (session.totals.total, session.totals.tax) == (Money(1999, "USD"), Money(0, "USD"))
    assert session.collected is not None
    assert (session.collected.email, session.collected.customer_id) == (
        "customer@example.com",
        "123",
    )
    assert session.details["message"] == "A new payment session has been generated."
    assert (session.payments, session.authorised, session.warnings) == ((), False, ())


def test_the_documents_invoice_is_paid() -> None:
    """Its payment is the invoice itself, made when the status says, for the full price."""
    session = retrieved(wrapped(fixture("invoice")))
    (payment,) = session.payments
    assert (payment.payment_id, payment.status) == ("1", PaymentState.PAID)
    assert payment.amount == Money(1999, "USD")
    assert payment.payment_time == datetime(2024, 1, 9, 18, 0, 50, tzinfo=UTC)
    assert "message" not in session.details


@given(MINOR_UNITS, MINOR_UNITS)
def test_amounts_are_exact(exclusive: int, inclusive: int) -> None:
    """Texts of minor units are integers to the last digit, and VAT is their difference."""
    body = invoice_with()
    body["payment"]["full_price"]["total"] = {
        "exclusive": str(exclusive),
        "inclusive": str(inclusive),
    }
    totals = transformers.totals(bare(body))
    assert totals.total == Money(inclusive, "USD")
    tax = inclusive - exclusive
    assert totals.tax == (Money(tax, "USD") if tax >= 0 else None)


@pytest.mark.parametrize(
    "odd",
    [
        "19.99",
        "1e3",
        "-1",
        "+1",
        " 1",
        "1\n",
        "",
        "1_000",
        "\u0661",
        "9" * 16,
        1999,
        0.5,
        None,
        True,
    ],
)
def test_an_amount_that_is_no_text_of_an_integer_is_unusable(odd: object) -> None:
    """Nothing is rounded or guessed."""
    body = invoice_with()
    body["payment"]["full_price"]["total"]["inclusive"] = odd
    with pytest.raises(ValueError, match="unreadable_body"):
        bare(body)


def test_an_odd_amount_beside_it_is_left_out_and_told() -> None:
    """No session is lost to a fee that cannot be read."""
    body = invoice_with()
    body["payment"]["fee"]["base"] = "0.5"
    session = retrieved(bare(body))
    (warning,) = session.warnings
    assert (warning.code, warning.field) == ("UNREADABLE_AMOUNT", "provider_details.sellapp.fee")
    assert "fee" not in session.details
    assert "subtotal" in session.details


@pytest.mark.parametrize(
    ("words", "state", "hour"),
    [
        (["PENDING"], None, 0),
        (["PENDING", "PAID"], PaymentState.PAID, 6),
        (["PENDING", "COMPLETED"], PaymentState.PAID, 6),
        (["PENDING", "PAID", "COMPLETED"], PaymentState.PAID, 6),
        # Whoever claims to have paid has committed.
        (["PENDING", "REVIEW", "COMPLETED"], PaymentState.PAID, 6),
        (["PENDING", "REVIEW"], PaymentState.PROCESSING, 6),
        (["PENDING", "PARTIAL"], PaymentState.PARTIALLY_PAID, 6),
        (["PENDING", "PARTIAL", "VOIDED"], PaymentState.PARTIALLY_PAID, 6),
        (["PENDING", "PARTIAL", "PAID"], PaymentState.PAID, 7),
        (["PENDING", "VOIDED"], None, 0),
        (["PENDING", "REVIEW", "VOIDED"], PaymentState.CANCELLED, 7),
        (["PENDING", "FAILED"], PaymentState.FAILED, 6),
        (["PENDING", "COMPLETED", "REFUNDED"], PaymentState.PAID, 6),
        (["PENDING", "PAID", "REVERSED"], PaymentState.PAID, 6),
        (["PENDING", "PAID", "DISPUTING"], PaymentState.PAID, 6),
        (["PENDING", "PAID", "VOIDED"], PaymentState.PAID, 6),
        (["REFUNDED"], PaymentState.PAID, None),
        (["pending", "paid"], PaymentState.PAID, 6),
    ],
)
def test_statuses_come_to_a_payment(
    words: list[str], state: PaymentState | None, hour: int | None
) -> None:
    """Money that came in stays, and its time is the earliest that says so."""
    report = transformers.payment_report(
        bare(invoice_with(*zip(words, (EARLY, LATER, LAST), strict=False)))
    )
    if state is None:
        assert report is None
        return
    assert report is not None
    assert (report.status, report.payment_time) == (state, at(hour + 10) if hour else None)


def test_the_amount_of_a_part_is_not_known() -> None:
    """The invoice says what was asked for, and not what came."""
    report = transformers.payment_report(bare(invoice_with(("PARTIAL", EARLY))))
    assert report is not None
    assert report.amount is None


def test_an_unknown_status_is_undecided_and_told() -> None:
    """A word of tomorrow neither completes nor ends anything."""
    report = transformers.payment_report(bare(invoice_with(("ON_HOLD", EARLY))))
    assert report is not None
    assert report.status is PaymentState.PROCESSING
    assert [warning.code for warning in report.warnings] == ["UNKNOWN_PAYMENT_STATUS"]


def test_a_failure_is_told_as_an_error() -> None:
    """The session shows why, in SellApp's word."""
    report = transformers.payment_report(bare(invoice_with(("FAILED", EARLY))))
    assert report is not None
    assert report.error is not None
    assert (report.error.code, report.error.provider_payment_id) == ("FAILED", "1")


@pytest.mark.parametrize(
    ("words", "refunds", "disputes"),
    [
        (["PAID", "REFUNDED"], {"1:refunded": Money(1999, "USD")}, {}),
        (["PAID", "REVERSED"], {"1:reversed": Money(1999, "USD")}, {}),
        (["PAID", "DISPUTING"], {}, {"1": DisputeStatus.OPEN}),
        (["PAID", "DISPUTING", "COMPLETED"], {}, {"1": DisputeStatus.WON}),
        (
            ["PAID", "DISPUTING", "REVERSED"],
            {"1:reversed": Money(1999, "USD")},
            {"1": DisputeStatus.LOST},
        ),
    ],
)
def test_returned_money_stands_beside_the_payment(
    words: list[str], refunds: object, disputes: object
) -> None:
    """Refunds and disputes are read from the invoice's statuses."""
    report = transformers.payment_report(
        bare(invoice_with(*zip(words, (EARLY, LATER, LAST), strict=False)))
    )
    assert report is not None
    assert (report.refunds, report.disputes) == (refunds, disputes)


@pytest.mark.parametrize("word", ["PENDING", "PAID", "COMPLETED"])
def test_no_page_is_success_where_nothing_is_due(word: str) -> None:
    """A free invoice is authorised, whatever it is called and even if its status lags."""
    body = answered(None)
    body["invoice"] = invoice_with((word, EARLY), full_price="0")
    session = checked_out(body, ())
    assert (session.url, session.authorised, session.payments) == ("", True, ())
    assert session.warnings == ()
    del body["payment_url"]
    assert checked_out(body, ()).authorised


def test_a_page_is_needed_where_something_is_due() -> None:
    """Unless it is paid already, as by a wallet, the missing page is told."""
    missing = checked_out(answered(None), ())
    assert [warning.code for warning in missing.warnings] == ["NO_CHECKOUT_URL"]
    body = answered(None)
    body["invoice"] = invoice_with(("PENDING", EARLY), ("PAID", LATER))
    paid = checked_out(body, ())
    assert (paid.authorised, paid.warnings) == (False, ())
    assert [payment.status for payment in paid.payments] == [PaymentState.PAID]
    body["invoice"] = invoice_with(("VOIDED", EARLY), full_price="0")
    assert not checked_out(body, ()).authorised


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.example/x",
        "javascript:alert(1)",
        "https://user@pay.example/x",
        "https:///x",
        "https://pay.example/\\x",
        "https://pay.example/a b",
        "//pay.example",
        "https://[pay",
    ],
)
def test_no_other_address_than_a_page_is_handed_out(url: str) -> None:
    """The processor may be anywhere, and its page is https all the same."""
    with pytest.raises(ValueError, match="foreign_checkout_url"):
        checked_out(answered(url), {"http://localhost:8080"})


@pytest.mark.parametrize(
    "url", ["https://btcpay.shop.example:8443/i/1", "http://localhost:8080/session/1"]
)
def test_sellers_own_servers_and_configured_origins_are_pages(url: str) -> None:
    """Ports are fine, and so is an origin that the operator names."""
    assert checked_out(answered(url), {"http://localhost:8080"}).url == url


def test_a_step_says_what_a_retry_may_do() -> None:
    """Whatever may be free is not checked out twice; everything else is."""
    costly = transformers.step(bare(invoice_with()))
    assert costly.strategy is UnknownOutcomeStrategy.RECREATE
    assert costly.kept == {"invoice_id": "1"}
    free = transformers.step(bare(invoice_with(full_price="0")))
    assert free.strategy is UnknownOutcomeStrategy.NEVER
    assert free.kept == {"invoice_id": "1", "may_be_free": "true"}


@pytest.mark.parametrize(
    ("word", "is_closed"),
    [("PENDING", False), ("PARTIAL", False), ("REVIEW", False), ("VOIDED", True), ("PAID", True)],
)
def test_a_page_is_closed_when_the_invoice_has_ended(word: str, *, is_closed: bool) -> None:
    """The status alone tells."""
    assert transformers.closing(bare(invoice_with((word, EARLY)))).closed is is_closed


def test_what_php_writes_for_nothing_is_read() -> None:
    """Empty lists stand where objects are empty, and nulls where nothing is known."""
    body = invoice_with(
        customer_information=[],
        webhooks=None,
        feedback=None,
        product_variants=None,
        subscription_id=77,
        created_at=None,
    )
    body["payment"]["gateway"] = {"data": [], "type": None}
    session = retrieved(bare(body))
    assert (session.collected, session.subscription_id) == (None, "77")
    assert session.details.keys().isdisjoint({"gateway", "visitor", "webhooks", "feedback"})


@pytest.mark.parametrize(
    "body", [None, [], {}, {"data": []}, {"data": {"id": 0}}, {"data": {"id": "1"}}, "x"]
)
def test_what_is_no_invoice_is_unusable(body: object) -> None:
    """Each envelope is its own, and none is mistaken for another."""
    for read in (wrapped, bare, found, lambda answer: checked_out(answer, ())):
        if body == {"data": []} and read is found:
            continue
        with pytest.raises(ValueError, match="unreadable_body"):
            read(body)


def test_envelopes_are_not_mixed_up() -> None:
    """A bare invoice is no wrapped one, and the other way round."""
    with pytest.raises(ValueError, match="unreadable_body"):
        wrapped(invoice_with())
    with pytest.raises(ValueError, match="unreadable_body"):
        bare(fixture("invoice"))
