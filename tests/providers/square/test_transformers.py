"""Orders and payments in the model's words: an order's state is not its payment's."""

import pytest

from service.core.model import DisputeStatus, Money, PaymentState, TotalsSource
from service.core.ports import PaymentReport
from service.providers.answers import converted
from service.providers.square import payloads
from service.providers.square.transformers import (
    dispute_state,
    is_covered,
    order_totals,
    payment_report,
    reports,
    retrieved,
)


def usd(amount: int) -> dict[str, object]:
    """Return an amount as Square writes it."""
    return {"amount": amount, "currency": "USD"}


def order(**changes: object) -> payloads.Order:
    """Return an order of 10.00, changed."""
    fields: dict[str, object] = {"id": "O1", "state": "OPEN", "total_money": usd(1000)}
    return converted(fields | changes, payloads.Order)


def payment(**changes: object) -> payloads.Payment:
    """Return a completed payment of 10.00, changed."""
    fields: dict[str, object] = {"id": "P1", "status": "COMPLETED", "amount_money": usd(1000)}
    return converted(fields | changes, payloads.Payment)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("APPROVED", PaymentState.PROCESSING),
        ("PENDING", PaymentState.PROCESSING),
        ("COMPLETED", PaymentState.PAID),
        ("CANCELED", PaymentState.CANCELLED),
        ("FAILED", PaymentState.FAILED),
    ],
)
def test_only_completed_is_paid(status: str, state: PaymentState) -> None:
    """An approved payment is held and not taken."""
    report = payment_report(payment(status=status))
    assert (report.status, report.warnings) == (state, ())


def test_an_unknown_status_is_undecided_and_told() -> None:
    """A word that Square adds later ends nothing."""
    report = payment_report(payment(status="NEW"))
    assert report.status is PaymentState.PROCESSING
    assert [warning.code for warning in report.warnings] == ["UNKNOWN_PAYMENT_STATUS"]


def test_the_amount_has_the_tip_in_it() -> None:
    """With and without Square's own sum; without any amount there is none."""
    tipped = payment(tip_money=usd(150))
    assert payment_report(tipped).amount == Money(1150, "USD")
    assert payment_report(payment(tip_money=usd(150), total_money=usd(1150))).tip == Money(
        150, "USD"
    )
    assert payment_report(payment(tip_money=usd(0))).tip is None
    assert payment_report(payment(amount_money=None)).amount is None


def test_tips_cover_nothing_of_the_order() -> None:
    """What was asked for is paid by amounts without tips, in the order's currency."""
    due = order(total_money=usd(1150), total_tip_money=usd(150))
    assert is_covered(due, [payment(tip_money=usd(150))])
    assert not is_covered(order(), [payment(amount_money=usd(900), tip_money=usd(150))])
    assert not is_covered(order(), [payment(amount_money={"amount": 1000, "currency": "EUR"})])
    assert not is_covered(order(), [payment(status="APPROVED")])
    assert not is_covered(order(state="COMPLETED"), [])


def test_a_part_of_the_order_is_a_part() -> None:
    """Two cards may pay one order; until both have, neither has paid it."""
    first = payment(amount_money=usd(400))
    second = payment(id="P2", amount_money=usd(600))
    assert _states(reports(order(), [first])) == [PaymentState.PARTIALLY_PAID]
    assert _states(reports(order(), [first, second])) == [PaymentState.PAID, PaymentState.PAID]


def test_an_open_order_may_be_paid_and_unpaid() -> None:
    """Its state decides neither."""
    unpaid = retrieved("L1", "O1", order(), [], [])
    paid = retrieved("L1", "O1", order(), [payment()], [])
    assert unpaid.payments == ()
    assert _states(paid.payments) == [PaymentState.PAID]
    assert paid.references == ("order:O1",)


def test_only_completed_refunds_of_the_payment_count() -> None:
    """A refund under way, or of another payment, returned nothing."""
    fields = {"amount_money": usd(100), "payment_id": "P1"}
    refunds = [
        converted({"id": "R1", "status": "COMPLETED", **fields}, payloads.Refund),
        converted({"id": "R2", "status": "PENDING", **fields}, payloads.Refund),
        converted(
            {"id": "R3", "status": "COMPLETED", **fields, "payment_id": "P2"}, payloads.Refund
        ),
    ]
    assert payment_report(payment(), refunds).refunds == {"R1": Money(100, "USD")}


def test_a_decline_says_why_and_nothing_personal() -> None:
    """The card's error is told without the buyer's words."""
    declined = payment(
        status="FAILED",
        buyer_email_address="ada@example.com",
        billing_address={"first_name": "Ada", "address_line_1": "1 Main St"},
        card_details={"errors": [{"code": "CARD_DECLINED", "detail": "Ada of 1 Main St: no"}]},
    )
    error = payment_report(declined).error
    assert error is not None
    assert (error.code, error.provider_payment_id) == ("CARD_DECLINED", "P1")
    assert "Ada" not in error.message
    assert "Main" not in error.message


def test_what_the_buyer_typed_is_taken_where_it_can_be() -> None:
    """A malformed address loses no payment."""
    report = payment_report(
        payment(
            buyer_email_address="ada@example.com",
            billing_address={"postal_code": 7},
            shipping_address={"locality": "Austin", "country": "US"},
            customer_id="C1",
        )
    )
    assert report.collected is not None
    assert report.collected.email == "ada@example.com"
    assert report.collected.billing_address is None
    assert report.collected.shipping_address is not None
    assert report.collected.shipping_address.city == "Austin"
    assert report.collected.customer_id == "C1"
    assert payment_report(payment()).collected is None


def test_totals_leave_the_tip_out() -> None:
    """What was due does not grow by what the buyer gave on top."""
    totals = order_totals(
        order(
            total_money=usd(1240),
            total_tip_money=usd(150),
            total_tax_money=usd(90),
            line_items=[{"quantity": "2", "base_price_money": usd(500)}],
        )
    )
    assert totals is not None
    assert totals.source is TotalsSource.PROVIDER
    assert (totals.subtotal, totals.tax, totals.total) == (
        Money(1000, "USD"),
        Money(90, "USD"),
        Money(1090, "USD"),
    )
    assert order_totals(order(total_money=None)) is None


def test_a_line_that_cannot_be_multiplied_has_no_subtotal() -> None:
    """Nothing is guessed where a quantity or price is missing."""
    for line in ({"quantity": "many", "base_price_money": usd(1)}, {"quantity": "1"}):
        totals = order_totals(order(line_items=[line]))
        assert totals is not None
        assert totals.subtotal is None


def test_reading_later_keeps_the_shipping_that_was_told() -> None:
    """With charges on the order the first answer's totals stand."""
    assert retrieved("L1", "O1", order(service_charges=[{}]), [], []).totals is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("INQUIRY_EVIDENCE_REQUIRED", DisputeStatus.OPEN),
        ("INQUIRY_PROCESSING", DisputeStatus.OPEN),
        ("INQUIRY_CLOSED", DisputeStatus.WON),
        ("EVIDENCE_REQUIRED", DisputeStatus.OPEN),
        ("PROCESSING", DisputeStatus.OPEN),
        ("WON", DisputeStatus.WON),
        ("LOST", DisputeStatus.LOST),
        ("ACCEPTED", DisputeStatus.LOST),
        ("SOMETHING_NEW", DisputeStatus.OPEN),
    ],
)
def test_disputes(state: str, status: DisputeStatus) -> None:
    """An unknown state needs attention."""
    assert dispute_state(state) is status


def _states(found: object) -> list[PaymentState]:
    assert isinstance(found, tuple)
    return [report.status for report in found if isinstance(report, PaymentReport)]
