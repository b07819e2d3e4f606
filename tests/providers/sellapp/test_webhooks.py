"""SellApp's webhooks: signed over the raw body, and hints only."""

from pathlib import Path

import msgspec
import pytest

from service.core.errors import WebhookNotVerified
from service.providers.secrets import Secret
from service.providers.sellapp.webhooks import EVENTS, parse, signature, verify
from tests.providers.sellapp.documents import fixture

KEY = "Jefe"
BODY = b"what do ya want for nothing?"
# The second case of RFC 4231.
SIGNATURE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def encoded(**fields: object) -> bytes:
    """Return the documents' webhook with other fields."""
    return msgspec.json.encode(fixture("webhook") | fields)


def test_the_signature_has_a_known_answer() -> None:
    """HMAC-SHA256 in lower-case hexadecimal, under a key that is text."""
    assert signature(KEY, BODY) == SIGNATURE
    verify({"signature": SIGNATURE}, BODY, [Secret(value=KEY)])


def test_either_of_two_secrets_may_sign() -> None:
    """Secrets are replaced without losing what is under way."""
    for secrets in ((KEY, "newer"), ("newer", KEY)):
        verify({"signature": SIGNATURE}, BODY, [Secret(value=text) for text in secrets])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({"signature": ""}, BODY),
        ({"signature": SIGNATURE.upper()}, BODY),
        ({"signature": SIGNATURE[:-1]}, BODY),
        ({"signature": f"sha256={SIGNATURE}"}, BODY),
        ({"signature": "ü"}, BODY),
        ({"signature": SIGNATURE}, BODY + b"\n"),
        ({"x-signature": SIGNATURE}, BODY),
    ],
)
def test_what_is_not_signed_so_is_refused(headers: dict[str, str], body: bytes) -> None:
    """Neither another form of the signature nor another body passes."""
    with pytest.raises(WebhookNotVerified):
        verify(headers, body, [Secret(value=KEY)])


def test_without_a_secret_nothing_passes(tmp_path: Path) -> None:
    """An endpoint without a secret refuses, and says why without a value."""
    with pytest.raises(WebhookNotVerified, match="no webhook secret"):
        verify({"signature": SIGNATURE}, BODY, [])
    with pytest.raises(WebhookNotVerified, match="webhook secret 1"):
        verify({"signature": SIGNATURE}, BODY, [Secret(file=tmp_path / "none")])


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_a_hint_about_its_invoice(name: str) -> None:
    """It names the invoice and proves nothing: what it says of money is not believed."""
    (event,) = parse({"signature": SIGNATURE}, encoded(event=name))
    assert (event.event_type, event.is_hint, event.report) == (name, True, None)
    assert event.references == ("session:236",)
    assert event.event_id.startswith(f"{name}:236:")


def test_the_same_news_has_the_same_id() -> None:
    """Repeated bytes are told from other news by their signature."""
    (first,) = parse({"signature": "a" * 64}, encoded())
    (again,) = parse({"signature": "a" * 64}, encoded())
    (other,) = parse({"signature": "b" * 64}, encoded())
    assert first.event_id == again.event_id != other.event_id


def test_an_id_may_be_a_text_and_more_may_be_said() -> None:
    """Newer deliveries have a version and whole objects."""
    body = encoded(version="2026-08-30", data={"id": "236", "payment": {"full_price": "x"}})
    (event,) = parse({}, body)
    assert event.references == ("session:236",)


@pytest.mark.parametrize(
    "name",
    ["order.created", "charge.completed", "product.created", "subscription.renewed", "unknown"],
)
def test_other_events_are_acknowledged_and_not_kept(name: str) -> None:
    """What no session can use is no error."""
    (event,) = parse({}, encoded(event=name, data=[]))
    assert (event.is_hint, event.report, event.references) == (False, None, ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"\xff",
        b'{"data": {"id": 1}}',
        b'{"event": 1}',
        b'{"event": "order.paid"}',
        b'{"event": "order.paid", "data": {}}',
        b'{"event": "order.paid", "data": {"id": ""}}',
        b'{"event": "order.paid", "data": {"id": 1.5}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_a_value_error(body: bytes) -> None:
    """Nothing else is raised for whatever comes in."""
    with pytest.raises(ValueError, match=r"event|data"):
        parse({}, body)
