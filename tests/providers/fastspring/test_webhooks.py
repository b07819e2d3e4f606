"""FastSpring's webhooks: the signature over the raw body, and what each event of a batch comes to."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import WebhookNotVerified
from service.core.model import DisputeStatus, Money, PaymentState, TotalsSource
from service.core.ports import (
    DisputeReport,
    PaymentReport,
    ProviderEvent,
    RefundReport,
    SubscriptionReport,
)
from service.providers.fastspring.webhooks import EVENTS, HEADER, parse, signature, verify
from service.providers.secrets import Secret
from tests.providers.fastspring.documents import SESSION_ID, batch, event

# RFC 4231, test case 2, in base64 as developer.fastspring.com/docs/message-security writes it.
KEY = "Jefe"
BODY = b"what do ya want for nothing?"
SIGNATURE = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
ORDER = "9qflPQrkR76oKDLObXguyg"
CHANGED = datetime(2017, 9, 12, 1, 46, 9, 638000, tzinfo=UTC)


def secrets(*keys: str) -> list[Secret]:
    """Return configured secrets."""
    return [Secret(value=key) for key in keys]


def read(found: object, *, live: bool = False) -> ProviderEvent:
    """Parse a batch of one event."""
    (one,) = parse(batch(found), live=live)
    return one


def test_the_signature_is_the_published_one() -> None:
    """Known bytes under a known key, in base64 and not in hex."""
    assert signature(KEY, BODY) == SIGNATURE
    verify({HEADER: SIGNATURE}, BODY, secrets(KEY))


def test_either_of_two_secrets_verifies() -> None:
    """A secret may be replaced without losing a webhook."""
    for keys in ((KEY, "new"), ("new", KEY)):
        verify({HEADER: SIGNATURE}, BODY, secrets(*keys))


@pytest.mark.parametrize(
    ("headers", "body", "keys"),
    [
        ({HEADER: SIGNATURE}, BODY + b" ", (KEY,)),
        ({HEADER: SIGNATURE}, BODY, ("other-key",)),
        ({HEADER: SIGNATURE}, BODY, ()),
        ({HEADER: SIGNATURE.lower()}, BODY, (KEY,)),
        (
            {HEADER: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
            BODY,
            (KEY,),
        ),
        ({HEADER: signature(KEY, b"")}, b"", (KEY,)),
        ({HEADER: "é"}, BODY, (KEY,)),
        ({"x-signature": SIGNATURE}, BODY, (KEY,)),
        ({}, BODY, (KEY,)),
    ],
)
def test_what_is_not_signed_so_is_refused(
    headers: dict[str, str], body: bytes, keys: tuple[str, ...]
) -> None:
    """Another body, secret, header or notation does not pass, and the refusal quotes no secret."""
    with pytest.raises(WebhookNotVerified) as caught:
        verify(headers, body, secrets(*keys))
    assert all(key not in str(caught.value) for key in keys)


def test_an_unreadable_secret_is_named() -> None:
    """The operator learns which of the secrets is of no use."""
    with pytest.raises(WebhookNotVerified, match="webhook secret 1: no secret"):
        verify({HEADER: SIGNATURE}, BODY, secrets(""))


def test_a_completed_order_is_paid() -> None:
    """The order is the payment: its id, its exact amount, and when it was made."""
    found = read(event("order_completed"))
    assert found.event_id == "J5MhLkZdQmGgPOI2Fb1Xhw"
    assert found.session_id == SESSION_ID
    assert found.references == (f"payment:{ORDER}", "subscription:subSCR1pt10nAbc123-456XYZ")
    report = found.report
    assert isinstance(report, PaymentReport)
    assert (report.payment_id, report.status) == (ORDER, PaymentState.PAID)
    assert (report.amount, report.payment_time) == (Money(10000, "USD"), CHANGED)
    assert report.subscription_id == "subSCR1pt10nAbc123-456XYZ"
    assert report.live is False
    assert report.totals is not None
    assert (report.totals.source, report.totals.tax) == (TotalsSource.PROVIDER, Money(825, "USD"))


def test_who_paid_is_collected() -> None:
    """What the buyer typed on the page, with FastSpring's id of the account."""
    report = read(event("order_completed")).report
    assert isinstance(report, PaymentReport)
    details = report.collected
    assert details is not None
    assert (details.email, details.name) == ("ada@example.com", "Ada Lovelace")
    assert details.customer_id == "NbNDzguWR5-Dv9Rlxg7xsw"
    assert details.billing_address is not None
    assert (details.billing_address.region, details.billing_address.country) == ("WI", "US")


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"total": 0.1}, Money(10, "USD")),
        ({"total": 1234567.89}, Money(123456789, "USD")),
        ({"total": 2900, "currency": "JPY"}, Money(2900, "JPY")),
        ({"total": 1.005}, None),
        ({"total": 29.5, "currency": "JPY"}, None),
        ({"total": "100.00"}, None),
        ({"total": 100.0, "currency": None}, None),
        ({"total": True}, None),
    ],
)
def test_amounts_are_exact_or_absent(changes: dict[str, object], amount: Money | None) -> None:
    """A payment is never lost over its amount, and no amount is ever rounded."""
    report = read(event("order_completed", **changes)).report
    assert isinstance(report, PaymentReport)
    assert report.status is PaymentState.PAID
    assert report.amount == amount


def test_an_amount_that_does_not_fit_is_told() -> None:
    """The session keeps a warning in its place."""
    report = read(event("order_completed", total=1.005)).report
    assert isinstance(report, PaymentReport)
    assert [warning.code for warning in report.warnings] == ["AMOUNT_NOT_EXACT"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("order.failed", PaymentState.FAILED),
        ("order.canceled", PaymentState.CANCELLED),
        ("order.payment.pending", PaymentState.PROCESSING),
        ("order.approval.pending", PaymentState.PROCESSING),
    ],
)
def test_other_words_about_an_order(kind: str, state: PaymentState) -> None:
    """What is not completed is not paid, and says nothing of totals."""
    found = read(event("order_completed", completed=False) | {"type": kind})
    assert isinstance(found.report, PaymentReport)
    assert (found.report.status, found.report.totals) == (state, None)


def test_a_failure_keeps_its_reason_and_no_names() -> None:
    """The reason is told without what the buyer typed."""
    found = event("order_completed", reason="DECLINED for ada@example.com Lovelace")
    report = read(found | {"type": "order.failed"}).report
    assert isinstance(report, PaymentReport)
    assert report.error is not None
    assert report.error.message == "DECLINED for [redacted] [redacted]"


def test_a_free_order_is_an_authorisation() -> None:
    """Nothing was due: a trial or a gift."""
    report = read(event("order_completed", total=0.0)).report
    assert isinstance(report, SubscriptionReport)
    assert report.authorised
    assert report.authorised_time == CHANGED
    assert report.live is False


def test_an_order_without_its_expansion_is_only_an_id() -> None:
    """The order can be asked for its tags, by a reference of its own."""
    found = read(event("order_completed") | {"data": ORDER})
    assert found.session_id == ""
    assert found.references == (f"payment:{ORDER}", f"order:{ORDER}")
    assert isinstance(found.report, PaymentReport)
    assert found.report.amount is None


def test_an_order_of_something_else_is_not_asked_for() -> None:
    """Tags without our id say that no session of ours made the order."""
    found = read(event("order_completed", tags={"shop": "other"}))
    assert (found.session_id, found.references[0]) == ("", f"payment:{ORDER}")
    assert not any(reference.startswith("order:") for reference in found.references)


def test_a_refund_names_the_order_it_is_of() -> None:
    """Its amount is this refund's alone."""
    found = read(event("return_created"))
    assert found.report == RefundReport(
        payment_id=ORDER, refund_id="qWIaFaLlRgu6NYs7MgHkGA", amount=Money(3010, "USD")
    )
    assert found.references == (f"payment:{ORDER}",)


def test_a_refund_that_is_not_made_yet_is_no_refund() -> None:
    """Money that is still here has not gone back."""
    assert read(event("return_created", completed=False)).report is None


def test_a_refund_without_a_readable_amount_is_not_acknowledged() -> None:
    """Taken without amount, it would count as a refund of everything."""
    found = read(event("return_created", totalReturn=0.001))
    assert found.report is None
    assert "totalReturn" in found.unreadable


@pytest.mark.parametrize("kind", ["chargeback.created", "order.chargeback", "order.chargebacks"])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("NEW", DisputeStatus.OPEN),
        ("WON", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
        (None, DisputeStatus.OPEN),
    ],
)
def test_a_chargeback_is_a_dispute(kind: str, status: str | None, expected: DisputeStatus) -> None:
    """Pages name the event differently; each means the same."""
    found = read(event("chargeback_created", status=status) | {"type": kind})
    order = "F_sVWUGMSGKu3ATP3xe2Xg"
    assert found.report == DisputeReport(
        payment_id=order, dispute_id="dsp_6dtaqbtq3cee7fqg3522hjgeqi", status=expected
    )
    assert found.references == (f"payment:{order}",)


def test_a_subscription_is_told() -> None:
    """It leads to the session by the tags, by the order that started it or by itself."""
    found = read(event("subscription_activated"))
    name = "subSCR1pt10nAbc123-456XYZ"
    assert isinstance(found.report, SubscriptionReport)
    assert (found.report.subscription_id, found.report.authorised) == (name, False)
    assert found.references == (f"subscription:{name}",)
    tags = {"checkout_session_id": SESSION_ID}
    told = read(event("subscription_activated", tags=tags, initialOrderId="O1", state="trial"))
    assert told.session_id == SESSION_ID
    assert told.references == (f"subscription:{name}", "payment:O1")
    assert isinstance(told.report, SubscriptionReport)
    assert told.report.authorised


def test_what_could_not_be_delivered_is_paid_all_the_same() -> None:
    """No order.completed follows, so this is the only word of the money."""
    data = {"product": "p", "order": ORDER, "reason": "Does not have available licenses."}
    found = read(event("order_completed") | {"type": "fulfillment.failed", "data": data})
    assert isinstance(found.report, PaymentReport)
    assert (found.report.payment_id, found.report.status) == (ORDER, PaymentState.PAID)
    assert [warning.code for warning in found.report.warnings] == ["FULFILLMENT_FAILED"]
    assert f"order:{ORDER}" in found.references


@pytest.mark.parametrize("kind", ["account.created", "payoutEntry.created", "subscription.updated"])
def test_other_events_are_nobodys(kind: str) -> None:
    """They are acknowledged and not kept."""
    found = read(event("order_completed") | {"type": kind, "data": {"id": 1}})
    assert (found.report, found.unreadable) == (None, "")
    assert kind not in EVENTS


@pytest.mark.parametrize("live", [True, False])
def test_events_of_the_other_mode_are_only_sessions_own(live: bool) -> None:
    """A stranger's order of the other mode is not kept; one with our id is judged by its session."""
    ours = read(event("order_completed") | {"live": not live}, live=live)
    assert isinstance(ours.report, PaymentReport)
    assert ours.report.live is not live
    theirs = read(event("order_completed", tags={}) | {"live": not live}, live=live)
    assert (theirs.report, theirs.references) == (None, ())
    same = read(event("order_completed", tags={}) | {"live": live}, live=live)
    assert same.report is not None


def test_each_event_of_a_batch_stands_for_itself() -> None:
    """One that cannot be read says so, and the others are read with their own bytes."""
    good, broken = event("order_completed"), event("order_completed") | {"data": {"total": 1}}
    first, second, third = parse(batch(good, broken, event("return_created")), live=False)
    assert first.report is not None
    assert third.report is not None
    assert (second.report, second.unreadable) == (None, "unreadable_body: the order has no id")
    assert all(found.stands_alone for found in (first, second, third))
    assert msgspec.json.decode(third.body)["id"] == "rYZAq4BvSyKmTOeQeSJQZQ"
    assert b"J5MhLkZdQmGgPOI2Fb1Xhw" not in third.body


@pytest.mark.parametrize("broken", [5, None, {}, {"id": "e"}, {"id": 5, "type": "x"}, [[]]])
def test_what_is_no_event_is_unreadable(broken: object) -> None:
    """It holds up nothing else of its batch."""
    first, second = parse(batch(broken, event("order_completed")), live=False)
    assert first.unreadable
    assert first.stands_alone
    assert second.report is not None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"events":1}', b"[" * 200_000])
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    """Bodies of other shapes are no webhooks of FastSpring."""
    with pytest.raises(ValueError, match="not a webhook of FastSpring"):
        parse(body, live=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENTS)), st.dictionaries(st.text(), JSON) | JSON)
def test_no_data_breaks_the_batch(kind: str, data: object) -> None:
    """Whatever an event holds, it is read or says that it cannot be."""
    found = read({"id": "e", "type": kind, "live": False, "created": 1, "data": data})
    assert found.stands_alone
    assert found.report is None or found.unreadable == ""
