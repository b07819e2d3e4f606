"""Clover's webhooks: known signatures, and what events come to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import WebhookNotVerified
from service.core.model import Money, PaymentError, PaymentState
from service.core.ports import PaymentReport, ProviderEvent
from service.providers.clover.webhooks import EVENTS, HEADER, parse, signature, verify
from service.providers.secrets import Secret
from tests.providers.clover.documents import NOW, document

# Clover publishes no vector with its secret. These are made with openssl, from the text of the scheme:
# printf '<t>.<body>' | openssl dgst -sha256 -hmac '<secret>'
SECRET = "a1b2c3d4-1111-2222-3333-a1b2c3d4e5f6"
TIME = "1642599079"
BODY = (
    b'{"createdTime":1642599079000,"message":"Approved for 1500","status":"APPROVED",'
    b'"type":"PAYMENT","id":"5WB4J4BNZ41V6","merchantId":"FKKVS5QZVMS41",'
    b'"data":"4de24107-dd60-4f50-b474-37e049a61b40"}'
)
DIGEST = "dc02cfd34f17a65cb9986d8b14a77d3c9c96c9a0040418dc38755512f839ddee"
OTHER_SECRET = "another secret: any text"
OTHER_TIME = "1642599080"
OTHER_BODY = (
    b'{"Created Time": 1642599079, "Message": "Declined for 1500", "Type": "PAYMENT",'
    b' "Id": "5WB4J4BNZ41V6", "Merchant Id": "FKKVS5QZVMS41",'
    b' "Data": "4de24107-dd60-4f50-b474-37e049a61b40"}'
)
OTHER_DIGEST = "dfeea05cd4d13543a2b4aa4e76a16962730736ecef9183a5f7970f713a8a62d2"
EMPTY_DIGEST = "6566da65492166d8d96ff559d6c841133c616273b725d6b2c9e2d191254174ef"
SIGNED = f"t={TIME},v1={DIGEST}"
AT = datetime.fromtimestamp(int(TIME), UTC)
MERCHANT = "FKKVS5QZVMS41"
CHECKOUT = "4de24107-dd60-4f50-b474-37e049a61b40"


def secrets(*texts: str) -> list[Secret]:
    """Return configured secrets."""
    return [Secret(value=text) for text in texts]


def parsed(body: object) -> ProviderEvent:
    """Parse one event."""
    (event,) = parse(msgspec.json.encode(body), merchant_id=MERCHANT, currency="USD")
    return event


def reported(**changes: object) -> tuple[ProviderEvent, PaymentReport]:
    """Parse an approval with changes; a field that is None is left out."""
    fields = document("payment_approved") | changes
    event = parsed({name: value for name, value in fields.items() if value is not None})
    assert isinstance(event.report, PaymentReport)
    return event, event.report


@pytest.mark.parametrize(
    ("secret", "time", "body", "digest"),
    [
        (SECRET, TIME, BODY, DIGEST),
        (OTHER_SECRET, OTHER_TIME, OTHER_BODY, OTHER_DIGEST),
        (SECRET, TIME, b"", EMPTY_DIGEST),
    ],
)
def test_known_signatures(secret: str, time: str, body: bytes, digest: str) -> None:
    """The scheme comes out as openssl computes it: text secret, time, dot, raw body, lower-case hex."""
    assert signature(secret, time, body) == digest
    header = {HEADER: f"t={time},v1={digest}"}
    verify(header, body, datetime.fromtimestamp(int(time), UTC), secrets(secret))


def test_either_of_two_secrets_verifies() -> None:
    """A secret may be replaced without losing a webhook."""
    for texts in ((SECRET, "new"), ("new", SECRET)):
        verify({HEADER: SIGNED}, BODY, AT, secrets(*texts))


@pytest.mark.parametrize(
    "header",
    [
        f"t={TIME}, v1={DIGEST}",
        f"v1={DIGEST},t={TIME}",
        f"t={TIME},v1={'0' * 64},v1={DIGEST}",
        f"t={TIME},v0=x,v1={DIGEST},v2=y",
    ],
)
def test_the_header_is_read_by_its_names(header: str) -> None:
    """Order, blanks, further versions and a second signature change nothing."""
    verify({HEADER: header}, BODY, AT, secrets(SECRET))


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_tolerated(seconds: int) -> None:
    """A delivery may take its time, and clocks differ."""
    verify({HEADER: SIGNED}, BODY, AT + timedelta(seconds=seconds), secrets(SECRET))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_more_is_a_replay(seconds: int) -> None:
    """A signature that is old, or not yet made, is refused."""
    with pytest.raises(WebhookNotVerified, match="5 minutes"):
        verify({HEADER: SIGNED}, BODY, AT + timedelta(seconds=seconds), secrets(SECRET))


@pytest.mark.parametrize(
    ("headers", "body", "texts"),
    [
        ({HEADER: SIGNED}, BODY + b" ", (SECRET,)),
        ({HEADER: SIGNED}, BODY, (OTHER_SECRET,)),
        ({HEADER: SIGNED}, BODY, ()),
        ({HEADER: SIGNED.upper()}, BODY, (SECRET,)),
        ({HEADER: f"t={TIME},v1={DIGEST.upper()}"}, BODY, (SECRET,)),
        ({HEADER: f"t={TIME},v1="}, BODY, (SECRET,)),
        ({HEADER: f"t={TIME},v1=é\udcff"}, BODY, (SECRET,)),
        ({HEADER: f"t={TIME}"}, BODY, (SECRET,)),
        ({HEADER: f"t={TIME},t={TIME},v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: f"t=0{TIME},v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: f"t=+{TIME},v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: f"t={'9' * 5000},v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: f"t=,v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: f"v1={DIGEST}"}, BODY, (SECRET,)),
        ({HEADER: DIGEST}, BODY, (SECRET,)),
        ({HEADER: ""}, BODY, (SECRET,)),
        ({"x-clover-signature": SIGNED}, BODY, (SECRET,)),
        ({}, BODY, (SECRET,)),
    ],
)
def test_what_is_not_signed_so_is_refused(
    headers: Mapping[str, str], body: bytes, texts: tuple[str, ...]
) -> None:
    """Another body, secret or header does not pass, nor does none; the refusal quotes no secret."""
    with pytest.raises(WebhookNotVerified) as caught:
        verify(headers, body, AT, secrets(*texts))
    assert all(text not in str(caught.value) for text in (SECRET, OTHER_SECRET, DIGEST))


def test_an_unreadable_secret_is_named() -> None:
    """The operator learns which of the secrets is of no use."""
    with pytest.raises(WebhookNotVerified, match="webhook secret 1: no secret"):
        verify({HEADER: SIGNED}, BODY, AT, secrets(""))


def test_an_approval_is_a_payment() -> None:
    """Every field of the documented event has its place."""
    event, report = reported()
    assert event.event_id == "5WB4J4BNZ41V6:APPROVED"
    assert event.event_type in EVENTS
    assert event.references == (f"session:{CHECKOUT}", "payment:5WB4J4BNZ41V6")
    assert (event.session_id, event.occurred, event.is_hint) == ("", NOW, False)
    assert report == PaymentReport(
        payment_id="5WB4J4BNZ41V6",
        status=PaymentState.PAID,
        amount=Money(3000, "USD"),
        payment_time=NOW,
    )


def test_keys_may_be_titles_and_the_status_may_be_missing() -> None:
    """The oldest form is read as well: the first word of the message is the status."""
    event = parsed(document("payment_declined_titled"))
    assert event.event_id == "7QB4J4BNZ41V7:DECLINED"
    assert event.references == (f"session:{CHECKOUT}", "payment:7QB4J4BNZ41V7")
    assert event.report == PaymentReport(
        payment_id="7QB4J4BNZ41V7",
        status=PaymentState.FAILED,
        amount=Money(3000, "USD"),
        payment_time=NOW,
        error=PaymentError("DECLINED", "Declined for 3000", "7QB4J4BNZ41V7"),
    )


def test_the_status_outweighs_the_message() -> None:
    """Where both are there, the field decides."""
    _, report = reported(message="Declined for 3000", status="approved")
    assert report.status is PaymentState.PAID


def test_an_unknown_status_is_undecided() -> None:
    """A word that no document has is kept in sight, and waits for another."""
    event, report = reported(status="ON HOLD")
    assert event.event_id == "5WB4J4BNZ41V6:ON"
    assert report.status is PaymentState.PROCESSING
    assert [warning.code for warning in report.warnings] == ["UNKNOWN_PAYMENT_STATUS"]


@pytest.mark.parametrize(
    "message",
    [
        "Approved for 30.00",
        "Approved for $3000",
        "Approved for 3,000",
        "Approved for -3000",
        "Approved for 3000 USD",
        "Approved for ٣٠٠٠",
        "Approved for 9999999999999999",
        "Approved",
        "",
        None,
        7,
    ],
)
def test_an_odd_amount_is_not_guessed(message: object) -> None:
    """The payment counts without its amount, and the session says so."""
    _, report = reported(message=message)
    assert (report.status, report.amount) == (PaymentState.PAID, None)
    (warning,) = report.warnings
    assert warning.code == "AMOUNT_UNREADABLE"
    assert len(warning.message) < 128


@settings(deadline=None)
@given(st.integers(0, 10**15 - 1), st.sampled_from(["Approved", "APPROVED", "approved"]))
def test_every_amount_of_cents_is_exact(cents: int, word: str) -> None:
    """No digit is lost."""
    _, report = reported(message=f" {word}  for {cents} ")
    assert report.amount == Money(cents, "USD")


def test_a_message_of_an_address_keeps_it_to_itself() -> None:
    """Personal words of a message reach neither warnings nor errors."""
    _, report = reported(status="DECLINED", message="Declined ada@example.com for 3000\r\n")
    assert "ada@example.com" not in repr(report)
    assert report.error is not None
    assert report.error.message == "Declined [redacted] for 3000"


@pytest.mark.parametrize(
    ("data", "references"),
    [
        ({"checkoutSessionId": CHECKOUT}, (f"session:{CHECKOUT}", "payment:5WB4J4BNZ41V6")),
        ({"Checkout Session ID": CHECKOUT}, (f"session:{CHECKOUT}", "payment:5WB4J4BNZ41V6")),
        ({"other": CHECKOUT}, ("payment:5WB4J4BNZ41V6",)),
        (["x"], ("payment:5WB4J4BNZ41V6",)),
        (None, ("payment:5WB4J4BNZ41V6",)),
    ],
)
def test_the_session_stands_in_data(data: object, references: tuple[str, ...]) -> None:
    """A text or an object leads to the session; without either the payment is nobody's, and kept."""
    event, _ = reported(data=data)
    assert event.references == references


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1772366400, NOW),
        (1772366400000, NOW),
        ("1772366400000", NOW),
        ("2026-03-01@12:00:00.000+0000", NOW),
        ("2026-03-01T12:00:00Z", NOW),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_time_of_the_payment_is_clovers(time: object, expected: datetime | None) -> None:
    """Its unit is told by its size; an unreadable one leaves the time of receipt."""
    event, report = reported(createdTime=time)
    assert (event.occurred, report.payment_time) == (expected, expected)


@pytest.mark.parametrize(
    "changes", [{"merchantId": "OTHERMERCHANT"}, {"type": "TEST"}, {"type": "TEST", "id": None}]
)
def test_what_is_not_our_merchants_payment_is_nobodys(changes: dict[str, object]) -> None:
    """It is acknowledged and not kept."""
    fields = {n: v for n, v in (document("payment_approved") | changes).items() if v is not None}
    event = parsed(fields)
    assert (event.report, event.references) == (None, ())


@pytest.mark.parametrize("changes", [{"merchantId": None}, {"type": None}, {"type": "payment"}])
def test_what_an_older_event_may_lack_is_not_needed(changes: dict[str, object]) -> None:
    """The secret is the merchant's alone, and payments are the only events there are."""
    _, report = reported(**changes)
    assert report.status is PaymentState.PAID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"type":"PAYMENT"}',
        b'{"type":"PAYMENT","id":"' + b"x" * 257 + b'"}',
        b'{"type":"PAYMENT","id":{}}',
        b'{"a":' * 5000,
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    """A body that cannot be a payment's is an error, and is not acknowledged."""
    with pytest.raises(ValueError, match=r"not an event of Clover|without a usable id"):
        parse(body, merchant_id=MERCHANT, currency="USD")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*document("payment_approved"), "Merchant ID"]), JSON))
def test_no_body_breaks_the_reading(fields: dict[str, object]) -> None:
    """Whatever the fields hold, there is one event or a refusal."""
    try:
        event = parsed(fields)
    except ValueError:
        return
    assert event.report is None or isinstance(event.report, PaymentReport)
