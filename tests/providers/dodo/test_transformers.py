"""Reading Dodo's answers."""

from datetime import UTC, datetime

import pytest

from service.core.model import (
    Address,
    CollectedDetails,
    DisputeStatus,
    Money,
    PaymentError,
    PaymentState,
    Totals,
    TotalsSource,
)
from service.providers.dodo.options import DodoOptions
from service.providers.dodo.transformers import (
    created,
    dispute_state,
    payment_of,
    payment_report,
    payment_state,
    retrieved,
    status_of,
)
from tests.providers.dodo.documents import data_of, document

ORIGINS = frozenset({"http://127.0.0.1:8080"})


def test_a_created_session_is_its_id_and_page() -> None:
    """The documented answer becomes a session whose totals are not known."""
    session = created(document("checkout_created"), DodoOptions(), ORIGINS)
    assert session.provider_session_id == "cks_Gi6KGJ2zFJo9rq9Ukifwa"
    assert session.url == "https://test.checkout.dodopayments.com/session/cks_Gi6KGJ2zFJo9rq9Ukifwa"
    assert session.totals == Totals(source=TotalsSource.UNKNOWN)
    assert session.payable_until is None
    assert (session.warnings, session.details) == ((), {})


def test_a_confirmed_session_keeps_what_a_browser_needs() -> None:
    """Payment id and keys are details of Dodo's own; the payment itself has not begun."""
    details = {"payment_id": "pay_1", "client_secret": "secret", "publishable_key": "pk"}
    session = created(document("checkout_created") | details, DodoOptions(), ORIGINS)
    assert session.details == details
    assert session.payments == ()


def test_a_session_without_page_is_whole_only_when_charged_at_once() -> None:
    """A null address belongs to a saved method of payment; otherwise it is worth a warning."""
    body = document("checkout_created") | {"checkout_url": None}
    charged = created(body, DodoOptions(confirm=True, payment_method_id="pm_1"), ORIGINS)
    assert (charged.url, charged.warnings) == ("", ())
    bare = created(body, DodoOptions(), ORIGINS)
    assert [warning.code for warning in bare.warnings] == ["NO_CHECKOUT_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "https://checkout.dodopayments.com/buy/abc",
        "https://dodopayments.com/session/1",
        "http://127.0.0.1:8080/sandbox/dodo/session/1",
    ],
)
def test_pages_of_dodo_and_of_configured_origins_are_handed_out(url: str) -> None:
    """Live, test, short and sandbox links pass."""
    body = {"session_id": "cks_1", "checkout_url": url}
    assert created(body, DodoOptions(), ORIGINS).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://checkout.dodopayments.com/session/1",
        "https://dodopayments.com.evil.example/",
        "https://evildodopayments.com/",
        "https://evil.example\\.dodopayments.com/",
        "https://evil.example/\n.dodopayments.com/",
        "https://a@checkout.dodopayments.com/",
        "https://a@evil.example/",
        "http://127.0.0.1:8081/",
        "http://x@127.0.0.1:8080/",
        "//checkout.dodopayments.com/",
        "javascript:alert(1)",
        "https://[::1/",
        "nonsense",
    ],
)
def test_pages_of_foreign_hosts_are_not_handed_out(url: str) -> None:
    """No answer can make the service send a buyer elsewhere."""
    with pytest.raises(ValueError, match="foreign_checkout_url"):
        created({"session_id": "cks_1", "checkout_url": url}, DodoOptions(), ORIGINS)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({}, "no_session_id"),
        ({"session_id": None}, "no_session_id"),
        ({"session_id": ""}, "no_session_id"),
        (None, "unreadable_body"),
        ([], "unreadable_body"),
        ({"session_id": 7}, "unreadable_body"),
        ({"session_id": "cks_1", "checkout_url": 7}, "unreadable_body"),
    ],
)
def test_an_answer_without_a_session_is_unusable(body: object, cause: str) -> None:
    """Success without an id, or of another shape, is not success."""
    with pytest.raises(ValueError, match=cause):
        created(body, DodoOptions(), ORIGINS)


@pytest.mark.parametrize("body", [None, [], {}, {"id": 1}, {"id": "cks_1", "payment_id": 1}])
def test_a_status_of_another_shape_is_unusable(body: object) -> None:
    """What cannot be read is said to be so."""
    with pytest.raises(ValueError, match="unreadable_body"):
        status_of(body)


def test_a_documented_payment_is_read_whole() -> None:
    """Amount, time, buyer and state come from the payment."""
    report = payment_report(payment_of(data_of("payment_succeeded")))
    assert report is not None
    assert report.payment_id == "pay_2IjeQm4hqU6RA4Z4kwDee"
    assert report.status is PaymentState.PAID
    assert report.amount == Money(400, "USD")
    assert report.payment_time == datetime(2025, 8, 4, 5, 30, 31, 152232, tzinfo=UTC)
    assert report.collected == CollectedDetails(
        email="test@acme.com",
        name="Test user",
        phone_number="+15555550100",
        billing_address=Address(
            country="US",
            line1="New York, New York",
            city="New York",
            region="New York",
            postal_code="0",
        ),
        customer_id="cus_8VbC6JDZzPEqfB",
    )
    assert (report.error, report.refunds, report.disputes) == (None, {}, {})


def test_a_declined_payment_keeps_dodos_words() -> None:
    """Code and message of a decline are kept."""
    report = payment_report(payment_of(data_of("payment_cancelled")))
    assert report is not None
    assert report.status is PaymentState.CANCELLED
    assert report.error == PaymentError(
        code="PROCESSING_ERROR",
        message="An error occurred while processing your card. Try again in a little bit.",
        provider_payment_id="pay_2IjeQm4hqU6RA4Z4kwDee",
    )


def test_refunds_and_disputes_of_a_payment_are_read() -> None:
    """Only refunds that were made count; disputes keep their latest word."""
    refund = {"payment_id": "pay_1", "currency": "USD"}
    data = data_of(
        "payment_succeeded",
        refunds=[
            {**refund, "refund_id": "ref_1", "status": "succeeded", "amount": 100},
            {**refund, "refund_id": "ref_2", "status": "pending", "amount": 200},
            {**refund, "refund_id": "ref_3", "status": "succeeded", "amount": None},
        ],
        disputes=[{"dispute_id": "dp_1", "payment_id": "pay_1", "dispute_status": "dispute_lost"}],
        custom_field_responses=[{"key": "size", "value": "M"}],
    )
    report = payment_report(payment_of(data))
    assert report is not None
    assert report.refunds == {"ref_1": Money(100, "USD")}
    assert report.disputes == {"dp_1": DisputeStatus.LOST}
    assert report.collected is not None
    assert report.collected.custom_fields == {"size": "M"}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("succeeded", PaymentState.PAID),
        ("failed", PaymentState.FAILED),
        ("cancelled", PaymentState.CANCELLED),
        ("processing", PaymentState.PROCESSING),
        ("requires_customer_action", PaymentState.PROCESSING),
        ("requires_merchant_action", PaymentState.PROCESSING),
        ("requires_confirmation", PaymentState.PROCESSING),
        ("requires_capture", PaymentState.PROCESSING),
        ("partially_captured", PaymentState.PARTIALLY_PAID),
        ("partially_captured_and_capturable", PaymentState.PARTIALLY_PAID),
        ("requires_payment_method", None),
        ("invented", PaymentState.PROCESSING),
        (None, None),
    ],
)
def test_every_status_has_one_meaning(status: str | None, state: PaymentState | None) -> None:
    """Nothing but success is paid; what is unknown is undecided; before the buyer acts is nothing."""
    assert payment_state(status) is state


def test_a_status_after_a_decline_is_a_decline() -> None:
    """An intent that waits for another way to pay, with an error, has failed for now."""
    assert payment_state("requires_payment_method", is_declined=True) is PaymentState.FAILED


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("dispute_opened", DisputeStatus.OPEN),
        ("dispute_challenged", DisputeStatus.OPEN),
        ("dispute_won", DisputeStatus.WON),
        ("dispute_cancelled", DisputeStatus.WON),
        ("dispute_lost", DisputeStatus.LOST),
        ("dispute_accepted", DisputeStatus.LOST),
        ("dispute_expired", DisputeStatus.LOST),
        ("invented", DisputeStatus.OPEN),
    ],
)
def test_every_dispute_status_has_one_meaning(status: str, state: DisputeStatus) -> None:
    """An unknown word is an open dispute, so that somebody looks."""
    assert dispute_state(status) is state


def test_a_retrieved_session_has_its_payment_and_dodos_total() -> None:
    """Once paid, the total is Dodo's own."""
    session = retrieved("cks_1", payment_of(data_of("payment_succeeded", tax=40)))
    assert [payment.status for payment in session.payments] == [PaymentState.PAID]
    assert session.payments[0].totals == Totals(
        source=TotalsSource.PROVIDER, tax=Money(40, "USD"), total=Money(400, "USD")
    )


def test_a_retrieved_trial_is_authorised_and_not_paid() -> None:
    """A succeeded payment of nothing that started a subscription means that nothing is due."""
    session = retrieved(
        "cks_1", payment_of(data_of("payment_succeeded", total_amount=0, subscription_id="sub_1"))
    )
    assert (session.authorised, session.payments, session.subscription_id) == (True, (), "sub_1")


def test_a_session_nobody_has_paid_yet_has_no_payment() -> None:
    """Neither an untouched session nor one whose buyer has chosen nothing has a payment."""
    waiting = payment_of(data_of("payment_succeeded", status="requires_payment_method"))
    assert retrieved("cks_1", None).payments == ()
    assert retrieved("cks_1", waiting).payments == ()
    assert retrieved("cks_1", waiting).totals is None


def test_an_unknown_status_is_a_warning_on_the_session() -> None:
    """What Dodo adds later is taken as undecided, and visibly so."""
    session = retrieved("cks_1", payment_of(data_of("payment_succeeded", status="inven\nted")))
    assert [payment.status for payment in session.payments] == [PaymentState.PROCESSING]
    (warning,) = session.payments[0].warnings
    assert warning.code == "UNKNOWN_PAYMENT_STATUS"
    assert "'inven ted'" in warning.message


def test_unreadable_details_of_the_buyer_do_not_lose_the_payment() -> None:
    """Money is recorded whatever shape the address has."""
    data = data_of("payment_succeeded", customer=7, billing=[], custom_field_responses="x")
    report = payment_report(payment_of(data))
    assert report is not None
    assert (report.status, report.collected) == (PaymentState.PAID, None)
