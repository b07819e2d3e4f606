"""Dodo's webhooks: signatures, and what events mean."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from service.core.errors import WebhookNotVerified
from service.core.model import DisputeStatus, Money, PaymentState
from service.core.ports import (
    DisputeReport,
    PaymentReport,
    ProviderEvent,
    RefundReport,
    SubscriptionReport,
)
from service.providers.dodo.webhooks import EVENTS, parse, parse_secret, verify
from service.providers.secrets import Secret
from tests.providers.dodo.documents import SESSION_ID, document

KNOWN = document("signature")
NOW = datetime.fromtimestamp(1614265330, UTC)
BODY = str(KNOWN["payload"]).encode()
HEADERS = {
    "webhook-id": str(KNOWN["id"]),
    "webhook-timestamp": str(KNOWN["timestamp"]),
    "webhook-signature": str(KNOWN["signature"]),
}
SECRET = Secret(value=str(KNOWN["secret"]))
OTHER = Secret(value="whsec_" + base64.b64encode(b"x" * 24).decode())

EVENT_NAMES = [
    "payment_succeeded",
    "payment_cancelled",
    "subscription_active",
    "refund_succeeded",
    "dispute_opened",
]


def event(name: str, /, **changes: object) -> ProviderEvent:
    """Parse a documented event whose data, and with `event_type` its type, were changed."""
    body = document(name)
    data = body["data"]
    assert isinstance(data, dict)
    event_type = changes.pop("event_type", body["type"])
    changed = body | {"data": data | changes, "type": event_type}
    (found,) = parse({"webhook-id": "msg_1"}, msgspec.json.encode(changed))
    return found


def payment(**changes: object) -> PaymentReport:
    """Parse the documented event of a success, changed, into its report."""
    report = event("payment_succeeded", **changes).report
    assert isinstance(report, PaymentReport)
    return report


def test_the_known_answer_is_verified() -> None:
    """The test vector of Standard Webhooks passes."""
    verify(HEADERS, BODY, NOW, [SECRET])


@given(st.binary(max_size=200), st.from_regex(r"msg_[A-Za-z0-9]{1,40}", fullmatch=True))
def test_signatures_of_the_reference_library_are_verified(data: bytes, webhook_id: str) -> None:
    """Whatever the official library signs passes, and any other body does not."""
    text = base64.b64encode(data).decode()
    signature = Webhook(SECRET.current()).sign(webhook_id, NOW, text)
    headers = HEADERS | {"webhook-id": webhook_id, "webhook-signature": signature}
    verify(headers, text.encode(), NOW, [OTHER, SECRET])
    with pytest.raises(WebhookNotVerified):
        verify(headers, text.encode() + b"\n", NOW, [SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        "v1a,AAAA {known}",
        "v1,AAAA {known} v1,BBBB",
        "nonsense v1,*** {known}",
    ],
)
def test_one_right_signature_among_others_is_enough(signature: str) -> None:
    """Other versions, wrong and unreadable entries are passed over."""
    given_ = signature.format(known=KNOWN["signature"])
    verify(HEADERS | {"webhook-signature": given_}, BODY, NOW, [SECRET])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-id": ""}, "webhook-id is missing"),
        ({"webhook-timestamp": ""}, "webhook-timestamp is missing"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-timestamp": "soon"}, "no Unix time"),
        ({"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"}, "no Unix time"),
        ({"webhook-timestamp": "9" * 400}, "no Unix time"),
        ({"webhook-timestamp": "1614265331"}, "no signature matches"),
        ({"webhook-id": "msg_other"}, "no signature matches"),
        ({"webhook-signature": "v1,"}, "no signature matches"),
        ({"webhook-signature": "v2" + str(KNOWN["signature"])[2:]}, "no signature matches"),
        ({"webhook-signature": str(KNOWN["signature"])[3:]}, "no signature matches"),
    ],
)
def test_headers_that_are_wrong_are_refused_by_name(change: dict[str, str], reason: str) -> None:
    """The refusal says what is wrong and repeats no value."""
    with pytest.raises(WebhookNotVerified, match=reason) as caught:
        verify(HEADERS | change, BODY, NOW, [SECRET])
    assert "g0hM9SsE" not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "is_fresh"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_five_minutes_either_way_are_tolerated(seconds: int, is_fresh: bool) -> None:
    """Old events, and events from the future, are refused."""
    now = NOW + timedelta(seconds=seconds)
    if is_fresh:
        verify(HEADERS, BODY, now, [SECRET])
    else:
        with pytest.raises(WebhookNotVerified, match="5 minutes"):
            verify(HEADERS, BODY, now, [SECRET])


def test_without_a_secret_nothing_passes() -> None:
    """An account without secrets refuses every webhook."""
    with pytest.raises(WebhookNotVerified, match="no webhook secret is configured"):
        verify(HEADERS, BODY, NOW, [])


def test_an_unreadable_secret_does_not_shut_out_the_other(tmp_path: Path) -> None:
    """While one secret replaces another, the readable one works; alone, its trouble is named."""
    missing = Secret(file=tmp_path / "missing")
    verify(HEADERS, BODY, NOW, [missing, SECRET])
    with pytest.raises(WebhookNotVerified, match="webhook secret 1: no secret in file"):
        verify(HEADERS, BODY, NOW, [missing])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ and base64"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64"),
        (" v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "whsec_ and base64"),
        ("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0", "hexadecimal"),
    ],
)
def test_secrets_are_understood_in_their_usual_forms(text: str, encoding: str) -> None:
    """With or without prefix, as copied from a dashboard or a header: the form that was found is named."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert parse_secret(text) == (key, encoding)


@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_secrets_in_url_safe_base64_without_padding_are_understood(prefix: str) -> None:
    """The alphabet for URLs means the same key."""
    key = bytes(range(200, 250))
    text = prefix + base64.urlsafe_b64encode(key).decode().rstrip("=")
    found = f"{prefix} and URL-safe base64".removeprefix(" and ")
    assert parse_secret(text) == (key, found)


def test_hexadecimal_behind_the_prefix_is_base64() -> None:
    """Whatever stands behind whsec_ is base64, as Standard Webhooks say."""
    text = "00" * 24
    assert parse_secret(f"whsec_{text}") == (base64.b64decode(text), "whsec_ and base64")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("whpk_AAAA", "asymmetric"),
        ("whsk_AAAA", "asymmetric"),
        ("c@nary!", "not base64"),
        ("ünicode", "not base64"),
        ("A", "not base64"),
        ("whsec_", "empty"),
    ],
)
def test_other_texts_are_named_for_what_they_are(text: str, found: str) -> None:
    """The error says what was found, never the value."""
    with pytest.raises(ValueError, match=found) as caught:
        parse_secret(text)
    assert text.removeprefix("whsec_") == "" or text not in str(caught.value)


def test_a_paid_session_is_told_by_its_payment() -> None:
    """Event id, time, our session and Dodo's ids lead to the session, most telling first."""
    found = event("payment_succeeded", metadata={"checkout_session_id": SESSION_ID, "n": 1})
    assert found.event_id == "msg_1"
    assert found.event_type == "payment.succeeded"
    assert found.occurred == datetime(2025, 8, 4, 5, 30, 45, 182629, tzinfo=UTC)
    assert found.session_id == SESSION_ID
    assert found.references == ("session:cks_stst1231", "payment:pay_2IjeQm4hqU6RA4Z4kwDee")
    assert isinstance(found.report, PaymentReport)
    assert found.report.status is PaymentState.PAID


def test_the_data_decide_and_not_the_type() -> None:
    """A late delivery carries newer data than its name says; the name fills in where they are silent."""
    assert payment(event_type="payment.processing").status is PaymentState.PAID
    assert payment(event_type="payment.failed", status=None).status is PaymentState.FAILED
    assert payment(status="processing").status is PaymentState.PROCESSING


def test_a_payment_before_the_buyer_acts_is_nothing_yet() -> None:
    """An intent without a way to pay is acknowledged and not stored."""
    assert event("payment_succeeded", status="requires_payment_method").report is None


@pytest.mark.parametrize(
    "changes",
    [
        {"subscription_id": "sub_1", "checkout_session_id": None},
        {"subscription_id": "sub_1", "checkout_session_id": ""},
        {"is_update_payment_method": True},
    ],
)
def test_renewals_are_not_payments_of_the_session(changes: dict[str, object]) -> None:
    """Later payments of a subscription carry our metadata, and still lead to no session."""
    found = event("payment_succeeded", metadata={"checkout_session_id": SESSION_ID}, **changes)
    assert (found.report, found.session_id, found.references) == (None, "", ())


def test_the_first_payment_of_a_subscription_is_one_of_the_session() -> None:
    """Made on a checkout session, it counts."""
    found = event("payment_succeeded", subscription_id="sub_1")
    assert isinstance(found.report, PaymentReport)
    assert found.report.subscription_id == "sub_1"
    assert found.references[-1] == "subscription:sub_1"


def test_a_payment_of_nothing_authorises_a_subscription() -> None:
    """The payment that sets up a trial or a mandate means that nothing is due."""
    found = event("payment_succeeded", subscription_id="sub_1", total_amount=0)
    assert isinstance(found.report, SubscriptionReport)
    assert (found.report.subscription_id, found.report.authorised) == ("sub_1", True)


@pytest.mark.parametrize(
    ("changes", "authorised"),
    [({}, False), ({"trial_period_days": 7}, True), ({"on_demand": True}, True)],
)
def test_an_active_subscription_authorises_when_nothing_is_due_now(
    changes: dict[str, object], authorised: bool
) -> None:
    """A trial or a mandate settles the session; otherwise its payment does."""
    found = event("subscription_active", metadata={"checkout_session_id": SESSION_ID}, **changes)
    assert isinstance(found.report, SubscriptionReport)
    assert found.report.authorised is authorised
    assert found.report.collected is not None
    assert found.report.collected.tax_id == "DE999999999"
    assert found.session_id == SESSION_ID
    assert found.references == ("subscription:sub_7EeHq2ewQuadropD2ra",)


def test_a_subscription_that_is_not_active_is_nothing() -> None:
    """The state in the data decides."""
    assert event("subscription_active", status="failed").report is None


def test_refunds_and_disputes_lead_to_their_payment() -> None:
    """They name the payment alone."""
    refund = event("refund_succeeded")
    assert refund.report == RefundReport(
        payment_id="pay_aTkzUDRuc7Rb3kVJXE17z",
        refund_id="ref_nUV0DuvmVgeKJVbS04L0y",
        amount=Money(400, "USD"),
    )
    assert refund.references == ("payment:pay_aTkzUDRuc7Rb3kVJXE17z",)
    dispute = event("dispute_opened")
    assert dispute.report == DisputeReport(
        payment_id="pay_gUHcgg81JkW1sbH0zbykQ",
        dispute_id="dp_q9BVPKzA4HeQs2f2PmDc",
        status=DisputeStatus.OPEN,
    )
    assert dispute.references == ("payment:pay_gUHcgg81JkW1sbH0zbykQ",)


def test_a_refund_that_is_not_made_is_nothing() -> None:
    """Only the word that money went back counts."""
    assert event("refund_succeeded", status="pending").report is None


def test_a_refund_without_amount_is_of_what_was_left() -> None:
    """Dodo may name no amount; the refund is known all the same."""
    report = event("refund_succeeded", amount=None).report
    assert isinstance(report, RefundReport)
    assert report.amount is None


@pytest.mark.parametrize(
    "event_type", ["license_key.created", "payout.created", "subscription.renewed", "made.up"]
)
def test_events_no_session_can_use_are_acknowledged(event_type: str) -> None:
    """What is not acted upon has no report, whatever its data are."""
    (found,) = parse({}, msgspec.json.encode({"type": event_type, "data": 7}))
    assert (found.event_type, found.report) == (event_type, None)
    assert event_type not in EVENTS


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("payment_succeeded", "payment_id", 7),
        ("payment_succeeded", "payment_id", ""),
        ("payment_succeeded", "total_amount", "400"),
        ("payment_succeeded", "total_amount", -1),
        ("payment_succeeded", "total_amount", 2**53),
        ("payment_succeeded", "currency", "usd"),
        ("payment_succeeded", "created_at", "yesterday"),
        ("payment_succeeded", "created_at", "2025-08-04T05:30:31"),
        ("payment_succeeded", "status", 1),
        ("payment_succeeded", "refunds", {}),
        ("subscription_active", "subscription_id", None),
        ("refund_succeeded", "amount", "100"),
        ("dispute_opened", "dispute_status", None),
    ],
)
def test_data_of_a_wrong_type_are_refused_by_field(name: str, field: str, value: object) -> None:
    """The error names the field and repeats no value."""
    with pytest.raises(ValueError, match=rf"data\.{field}"):
        event(name, **{field: value})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"type":1}', b"\xff", b"[" * 10**5])
def test_bodies_that_are_no_events_are_refused(body: bytes) -> None:
    """Anything that is not an event with a type and data is told so."""
    with pytest.raises(ValueError, match="not an event"):
        parse({}, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.data())
def test_no_event_however_changed_breaks_the_parser(data: st.DataObject) -> None:
    """Any change to a documented event ends in a report, in none, or in a ValueError."""
    body = document(data.draw(st.sampled_from(EVENT_NAMES)))
    body["type"] = data.draw(st.sampled_from([body["type"], *sorted(EVENTS)]))
    inside = body["data"]
    assert isinstance(inside, dict)
    for name in data.draw(st.lists(st.sampled_from(sorted(inside)), max_size=4)):
        inside[name] = data.draw(JSON)
    for name in data.draw(st.lists(st.sampled_from(sorted(inside)), max_size=4)):
        inside.pop(name, None)
    try:
        (found,) = parse({"webhook-id": "msg_1"}, msgspec.json.encode(body))
    except ValueError:
        return
    assert found.event_id == "msg_1"
