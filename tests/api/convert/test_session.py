"""A session loses nothing on its way out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from service.api.convert.read import (
    ended_to_proto,
    filter_from_proto,
    found_to_proto,
    page_to_proto,
)
from service.api.convert.session import session_to_proto
from service.core.gate import GateLinks
from service.core.model import (
    Address,
    AmountCheck,
    CollectedDetails,
    Customer,
    Dispute,
    DisputeStatus,
    Failure,
    Money,
    Payment,
    PaymentError,
    PaymentState,
    PaymentStatus,
    Refund,
    Session,
    SessionWarning,
    State,
    TimeSource,
    Totals,
    TotalsSource,
)
from service.core.query import Page
from service.core.view import SessionView
from tests.api.convert.filling import lacking
from tests.core.builders import NOW, session

USD = Money(1999, "USD")
ADDRESS = Address("US", "1 Main St", "Apt 2", "Springfield", "IL", "62701", "Ann", "Bee")
PAYMENT = Payment(
    provider_payment_id="pay_1",
    status=PaymentState.PAID,
    amount=USD,
    tip=Money(100, "USD"),
    payment_time=NOW,
    time_source=TimeSource.PROVIDER,
    late=True,
    amount_check=AmountCheck.MATCHED,
)

# Parts whose own fields other tests cover.
ELSEWHERE = ("cart.", "customer.", "provider_details.")


def full() -> Session:
    """Return a session with everything a session may have."""
    return session(
        live=True,
        payment_status=PaymentStatus.PAID,
        provider_subscription_id="sub_1",
        customer=Customer(email="a@example.com"),
        collected=CollectedDetails(
            email="a@example.com",
            name="Ann Bee",
            phone_number="+14155550100",
            billing_address=ADDRESS,
            shipping_address=ADDRESS,
            tax_id="DE1",
            custom_fields={"size": "L"},
            customer_id="cus_1",
        ),
        totals=Totals(TotalsSource.PROVIDER, USD, USD, USD, USD, USD),
        metadata={"order": "1"},
        reference_id="order-1",
        end_time=NOW,
        complete_time=NOW,
        reconciled_time=NOW,
        payments=(PAYMENT,),
        refunds={"ref_1": Refund("pay_1", Money(500, "USD"))},
        disputes={"dis_1": Dispute(DisputeStatus.OPEN, NOW)},
        last_payment_error=PaymentError("CODE", "text", "pay_0"),
        warnings=(SessionWarning("EXPIRY_CLAMPED", "ttl", "text"),),
        provider_details={"payment_id": "pay_1"},
        failure=Failure("PROVIDER_REJECTED", "CODE"),
    )


LINKS = GateLinks(public_url="https://pay.example", secret=b"secret")


def converted(
    made: Session, links: GateLinks | None = None, *, include_provider_url: bool = False
) -> session_pb2.Session:
    """Return the message of a session."""
    message = session_pb2.Session()
    session_to_proto(made, NOW, links, message, include_provider_url=include_provider_url)
    return message


def test_no_field_of_a_session_is_left_out() -> None:
    """A session that has everything sets every field of the contract."""
    message = converted(full())
    assert [path for path in lacking(message) if not path.startswith(ELSEWHERE)] == []


def test_a_full_session_says_what_it_is() -> None:
    """Derived fields and enums read as the rules mean them."""
    said: Any = json_format.MessageToDict(converted(full()))
    assert said["state"] == "STATE_OPEN"
    assert said["checkoutUrl"] == said["providerUrl"] == "https://checkout.example/cks_1"
    assert said["providerLink"] == "PROVIDER_LINK_LIVE"
    assert said["amountPaid"] == {"amount": "1999", "currency": "USD"}
    assert said["amountRefunded"] == {"amount": "500", "currency": "USD"}
    assert said["disputeStatus"] == "DISPUTE_STATUS_OPEN"
    assert said["payments"][0]["refundedAmount"] == {"amount": "500", "currency": "USD"}
    assert said["payments"][0]["amountCheck"] == "AMOUNT_CHECK_MATCHED"
    assert said["providerDetails"] == {"dodo": {"paymentId": "pay_1"}}
    assert said["createTime"] == "2026-03-01T12:00:00Z"


def test_a_new_session_has_nothing_it_does_not_know() -> None:
    """What has not happened is absent, and not zero."""
    message = converted(session())
    absent = {"payments", "amount_paid", "amount_refunded", "customer", "collected", "end_time"}
    assert absent <= set(lacking(message))
    assert message.dispute_status == session_pb2.Session.DISPUTE_STATUS_UNSPECIFIED
    assert message.totals.source == session_pb2.Totals.SOURCE_UNKNOWN


def test_an_ended_session_has_no_address() -> None:
    """A customer is sent nowhere once the session has ended."""
    message = converted(session(State.EXPIRED))
    assert (message.checkout_url, message.provider_url) == ("", "")
    assert message.provider_link == session_pb2.Session.PROVIDER_LINK_STILL_PAYABLE


def test_gate_hides_the_providers_address() -> None:
    """With a gate there is one address, ours; it comes and goes with the session being open."""
    message = converted(session(), LINKS)
    assert message.checkout_url == LINKS.address(session()) != ""
    assert message.provider_url == ""
    assert converted(session(State.EXPIRED), LINKS).checkout_url == ""
    assert converted(session(session_id=""), LINKS).checkout_url == ""


def test_providers_address_can_be_asked_for() -> None:
    """Who asks is told it beside ours, while the session is open; without a gate there is nothing to ask for."""
    asked = converted(session(), LINKS, include_provider_url=True)
    assert (asked.checkout_url, asked.provider_url) == (
        LINKS.address(session()),
        session().provider_url,
    )
    for state in set(State) - {State.OPEN}:
        assert converted(session(state), LINKS, include_provider_url=True).provider_url == ""
    assert converted(session(), include_provider_url=True) == converted(session())


PAGE = "https://pages.example/1"


@pytest.mark.parametrize(
    ("provider", "details"),
    [
        ("square", {"order_id": "O1", "long_url": PAGE}),
        ("sellapp", {"store_id": "1", "gateway": {"type": "STRIPE", "checkout_url": PAGE}}),
    ],
)
def test_other_addresses_of_the_page_come_and_go_with_it(
    provider: str, details: dict[str, object]
) -> None:
    """What the provider's answer has beside the address leads to the page too, and is told as rarely."""

    def says(made: Session, links: GateLinks | None, *, asked: bool) -> bool:
        found = converted(made, links, include_provider_url=asked)
        assert found.provider_details.HasField(provider)  # type: ignore[arg-type]
        return PAGE in str(found)

    opened = session(provider=provider, provider_details=details)
    ended = session(State.EXPIRED, provider=provider, provider_details=details)
    assert [says(opened, None, asked=False), says(opened, LINKS, asked=True)] == [True, True]
    assert not says(opened, LINKS, asked=False)
    assert not any(says(ended, links, asked=True) for links in (None, LINKS))


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_number(state: State) -> None:
    """States are converted by name."""
    name = session_pb2.Session.State.Name(converted(session(state)).state)
    assert name == f"STATE_{state.name}"


@pytest.mark.parametrize("status", PaymentStatus)
def test_every_payment_status_has_its_number(status: PaymentStatus) -> None:
    """Payment statuses are converted by name."""
    message = converted(session(payment_status=status))
    name = session_pb2.Session.PaymentStatus.Name(message.payment_status)
    assert name == f"PAYMENT_STATUS_{status.name}"


def test_answers_carry_the_session() -> None:
    """Reading, ending and listing answer the same session."""
    view = SessionView(full(), NOW)
    expected = converted(view.session)
    page = page_to_proto(Page((view.session, view.session), "token", NOW), None)
    assert found_to_proto(view, None, include_provider_url=False).session == expected
    assert ended_to_proto(view, None).session == expected
    assert (list(page.sessions), page.next_page_token) == ([expected, expected], "token")


def test_conditions_of_a_listing_arrive() -> None:
    """Every condition is given to the rules, and what is absent is no condition."""
    message = pb.ListSessionsRequest(
        states=[session_pb2.Session.STATE_OPEN, session_pb2.Session.STATE_FAILED],
        payment_statuses=[session_pb2.Session.PAYMENT_STATUS_PAID],
        provider="dodo",
        account="default",
        live=False,
        reference_id="order-1",
        metadata={"order": "1"},
    )
    message.create_time_from.FromDatetime(NOW)
    message.create_time_to.FromDatetime(NOW + timedelta(days=1))
    conditions = filter_from_proto(message)
    assert conditions.states == {State.OPEN, State.FAILED}
    assert conditions.payment_statuses == {PaymentStatus.PAID}
    assert (conditions.provider, conditions.account) == ("dodo", "default")
    assert (conditions.live, conditions.reference_id) == (False, "order-1")
    assert (conditions.create_time_from, conditions.metadata) == (NOW, {"order": "1"})
    assert conditions.create_time_to == NOW + timedelta(days=1)
    assert filter_from_proto(pb.ListSessionsRequest()).live is None
