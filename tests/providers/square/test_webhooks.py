"""Square's webhooks: published signatures, and what events come to."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import WebhookNotVerified
from service.core.model import DisputeStatus, Money, PaymentState
from service.core.ports import DisputeReport, PaymentReport, ProviderEvent, RefundReport
from service.providers.secrets import Secret
from service.providers.square.webhooks import EVENTS, HEADER, parse, signature, verify

KEY = "Ibxx_5AKakO-3qeNVR61Dw"
URL = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"
BODY = (
    b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
    b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f",'
    b'"created_at":"2022-07-13T20:30:59.037339943Z",'
    b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
)
SIGNATURE = "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="
PAYMENT: dict[str, object] = {
    "id": "PAY1",
    "status": "COMPLETED",
    "order_id": "ORDER1",
    "location_id": "LDEMO",
    "created_at": "2026-03-01T12:00:00.000Z",
    "amount_money": {"amount": 1000, "currency": "USD"},
    "tip_money": {"amount": 150, "currency": "USD"},
    "total_money": {"amount": 1150, "currency": "USD"},
}


def event(kind: str, name: str, content: object) -> ProviderEvent:
    """Parse one event about one object."""
    body = {
        "merchant_id": "ML",
        "type": kind,
        "event_id": "ev-1",
        "created_at": "2026-03-01T12:00:01Z",
        "data": {"type": name, "id": "other", "object": {name: content}},
    }
    (found,) = parse(msgspec.json.encode(body), "LDEMO")
    return found


def secrets(*keys: str) -> list[Secret]:
    """Return configured keys."""
    return [Secret(value=key) for key in keys]


@pytest.mark.parametrize(
    ("key", "url", "body", "expected"),
    [
        (KEY, URL, BODY, SIGNATURE),
        (
            "signature-key",
            "https://webhook.site/webhooks",
            b'{"data":{"type":"webhooks","id":">id<"}}',
            "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
        ),
    ],
)
def test_published_signatures(key: str, url: str, body: bytes, expected: str) -> None:
    """The values in the tests of Square's own SDK."""
    assert signature(key, url, body) == expected
    verify({HEADER: expected}, body, url, secrets(key))


def test_either_of_two_keys_verifies() -> None:
    """A key may be replaced without losing a webhook."""
    for keys in ((KEY, "new-key"), ("new-key", KEY)):
        verify({HEADER: SIGNATURE}, BODY, URL, secrets(*keys))


@pytest.mark.parametrize(
    ("headers", "body", "url", "keys"),
    [
        ({HEADER: SIGNATURE}, BODY + b" ", URL, (KEY,)),
        ({HEADER: SIGNATURE}, BODY, f"{URL}/", (KEY,)),
        ({HEADER: SIGNATURE}, BODY, URL.replace("https", "http"), (KEY,)),
        ({HEADER: SIGNATURE}, BODY, URL, ("other-key",)),
        ({HEADER: SIGNATURE.lower()}, BODY, URL, (KEY,)),
        ({HEADER: "é"}, BODY, URL, (KEY,)),
        ({HEADER: signature(KEY, URL, b"")}, b"", URL, (KEY,)),
        ({"x-square-signature": SIGNATURE}, BODY, URL, (KEY,)),
        ({HEADER: SIGNATURE}, BODY, "", (KEY,)),
        ({HEADER: SIGNATURE}, BODY, URL, ()),
        ({}, BODY, URL, (KEY,)),
    ],
)
def test_what_is_not_signed_so_is_refused(
    headers: dict[str, str], body: bytes, url: str, keys: tuple[str, ...]
) -> None:
    """Another body, URL, key or header does not pass, and the refusal quotes no key."""
    with pytest.raises(WebhookNotVerified) as caught:
        verify(headers, body, url, secrets(*keys))
    assert all(key not in str(caught.value) for key in keys)


def test_an_unreadable_key_is_named() -> None:
    """The operator learns which of the keys is of no use."""
    with pytest.raises(WebhookNotVerified, match="webhook secret 1: no secret"):
        verify({HEADER: SIGNATURE}, BODY, URL, secrets(""))


def test_a_test_notification_is_nobodys() -> None:
    """Square's own test, with nine digits of a second, is taken and not kept."""
    (found,) = parse(BODY, "LDEMO")
    assert found.report is None
    assert found.event_id == "ac3ac95b-f97d-458c-a6e6-18981597e05f"


def test_a_completed_payment_is_paid() -> None:
    """The amount has the tip in it, and the inner object's id counts."""
    found = event("payment.updated", "payment", PAYMENT)
    assert found.references == ("order:ORDER1", "payment:PAY1")
    assert found.session_id == ""
    assert isinstance(found.report, PaymentReport)
    assert found.report.payment_id == "PAY1"
    assert found.report.status is PaymentState.PAID
    assert found.report.amount == Money(1150, "USD")
    assert found.report.tip == Money(150, "USD")
    assert str(found.report.payment_time) == "2026-03-01 12:00:00+00:00"


def test_an_approved_payment_is_undecided() -> None:
    """An authorisation is no payment."""
    found = event("payment.created", "payment", PAYMENT | {"status": "APPROVED"})
    assert isinstance(found.report, PaymentReport)
    assert found.report.status is PaymentState.PROCESSING


def test_other_locations_are_somebody_elses() -> None:
    """A subscription covers all locations of a merchant; only one is the account's."""
    found = event("payment.updated", "payment", PAYMENT | {"location_id": "LOTHER"})
    assert (found.report, found.references) == (None, ())


def test_a_completed_refund_is_told_by_its_payment() -> None:
    """The refund has an order of its own."""
    refund = {
        "id": "REF1",
        "status": "COMPLETED",
        "amount_money": {"amount": 100, "currency": "USD"},
        "payment_id": "PAY1",
        "order_id": "ORDER2",
        "location_id": "LDEMO",
    }
    found = event("refund.updated", "refund", refund)
    assert found.references == ("payment:PAY1", "order:ORDER2")
    assert found.report == RefundReport(
        payment_id="PAY1", refund_id="REF1", amount=Money(100, "USD")
    )
    for change in ({"status": "PENDING"}, {"payment_id": None}):
        assert event("refund.created", "refund", refund | change).report is None


@pytest.mark.parametrize("name", ["id", "dispute_id"])
def test_a_dispute_is_told_by_its_payment(name: str) -> None:
    """Square's example, under both names of the id."""
    dispute = {
        name: "D1",
        "state": "WON",
        "disputed_payment": {"payment_id": "PAY1"},
        "location_id": "LDEMO",
    }
    found = event("dispute.state.updated", "dispute", dispute)
    assert found.report == DisputeReport(
        payment_id="PAY1", dispute_id="D1", status=DisputeStatus.WON
    )


def test_an_orders_state_says_nothing_of_payment() -> None:
    """OPEN is not paid, and a paid order may stay OPEN for ever."""
    for state in ("OPEN", "COMPLETED", "CANCELED"):
        content = {"order_id": "ORDER1", "version": 3, "state": state}
        assert event("order.updated", "order_updated", content).report is None


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_a_body_that_is_no_event_is_refused(kind: str) -> None:
    """The refusal names the field."""
    name = kind.partition(".")[0]
    with pytest.raises(ValueError, match=r"data\.object"):
        event(kind, name, {"id": 1})


@pytest.mark.parametrize(
    "amount", [{"amount": 1.5, "currency": "USD"}, {"currency": "USD"}, {"amount": -1}]
)
def test_an_amount_is_never_guessed(amount: dict[str, object]) -> None:
    """Neither a fraction nor a missing number is read as an amount."""
    with pytest.raises(ValueError, match="total_money"):
        event("payment.updated", "payment", PAYMENT | {"total_money": amount})


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    """Nothing but ValueError comes of what is no event."""
    try:
        parse(body, "LDEMO")
    except ValueError:
        return
