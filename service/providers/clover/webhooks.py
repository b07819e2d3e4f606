"""Clover's webhooks: signed over time and raw body, one payment attempt each, with no id of their own."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from service.core.errors import WebhookNotVerified
from service.core.model import Money, PaymentError, PaymentState, SessionWarning
from service.core.ports import PaymentReport, ProviderEvent
from service.providers.clover.times import moment
from service.providers.secrets import Secret
from service.providers.signatures import check_signatures, encoded, header_of
from service.providers.text import readable, redacted

HEADER = "clover-signature"
TOLERANCE = timedelta(minutes=5)
PAYMENT = "PAYMENT"
EVENTS = frozenset({PAYMENT})
STATES: Mapping[str, PaymentState] = {
    "APPROVED": PaymentState.PAID,
    "DECLINED": PaymentState.FAILED,
}
AMOUNT = re.compile(r"[a-z]+\s+for\s+([0-9]{1,15})", re.IGNORECASE)
LONGEST_ID = 256


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook says, whatever the case and the spaces of its keys."""

    type: str
    id: str
    status: str
    message: str
    merchant_id: str
    session_id: str
    time: datetime | None


def verify(
    headers: Mapping[str, str], body: bytes, now: datetime, secrets: Sequence[Secret]
) -> None:
    """Check the signature over time and raw body against every secret. Raises WebhookNotVerified."""
    time, given = _parts(header_of(headers, HEADER))
    if abs(int(time) - now.timestamp()) > TOLERANCE.total_seconds():
        raise WebhookNotVerified(f"header {HEADER} is more than 5 minutes off")
    check_signatures(encoded(given), secrets, lambda secret: signature(secret, time, body).encode())


def signature(secret: str, time: str, body: bytes) -> str:
    """Return what Clover writes after `v1=`: the secret is text, and not decoded."""
    return hmac.digest(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hex()


def parse(body: bytes, *, merchant_id: str, currency: str) -> Sequence[ProviderEvent]:
    """Return the one event of a verified webhook. Raises ValueError with what is wrong.

    What is no payment is no session's, and another merchant's is none of this account.
    """
    notice = _notice(_decoded(body))
    if notice.type != PAYMENT:
        return (ProviderEvent(event_id=notice.id, event_type=notice.type),)
    if notice.merchant_id not in ("", merchant_id):
        return (ProviderEvent(event_id=notice.id, event_type=notice.type, is_elsewhere=True),)
    if not notice.id or len(notice.id) > LONGEST_ID:
        raise ValueError("a payment without a usable id")
    status = _status(notice)
    return (
        ProviderEvent(
            # Nothing numbers events: a decline and an approval of one payment are told apart by the word.
            event_id=f"{notice.id}:{status}",
            event_type=notice.type,
            occurred=notice.time,
            references=tuple(_references(notice)),
            report=_report(notice, status, currency),
        ),
    )


def _report(notice: Notice, status: str, currency: str) -> PaymentReport:
    state = STATES.get(status, PaymentState.PROCESSING)
    found = AMOUNT.fullmatch(notice.message)
    said = readable(redacted(notice.message, ()))
    error = PaymentError(code=status, message=said, provider_payment_id=notice.id)
    return PaymentReport(
        payment_id=notice.id,
        status=state,
        amount=Money(int(found[1]), currency) if found else None,
        payment_time=notice.time,
        error=error if state is PaymentState.FAILED else None,
        warnings=tuple(_warnings(status, said, is_amount_read=found is not None)),
    )


def _warnings(status: str, said: str, *, is_amount_read: bool) -> Iterator[SessionWarning]:
    if status not in STATES:
        text = f"payment status {status!r} is unknown and taken as undecided"
        yield SessionWarning("UNKNOWN_PAYMENT_STATUS", message=text)
    if not is_amount_read:
        text = f"no amount can be read in Clover's {readable(said, 64)!r}"
        yield SessionWarning("AMOUNT_UNREADABLE", field="payments.amount", message=text)


def _status(notice: Notice) -> str:
    # The oldest documents have no status: there the message begins with it.
    words = (notice.status or notice.message).split(maxsplit=1)
    return readable(words[0], 64).upper() if words else ""


def _references(notice: Notice) -> Iterator[str]:
    if notice.session_id:
        yield f"session:{notice.session_id}"
    yield f"payment:{notice.id}"


def _notice(fields: Mapping[str, object]) -> Notice:
    return Notice(
        type=readable(_word(fields.get("type")), 64).upper() or PAYMENT,
        id=_word(fields.get("id")),
        status=_word(fields.get("status")),
        message=_word(fields.get("message")),
        merchant_id=_word(fields.get("merchantid")),
        session_id=_session_id(fields.get("data")),
        time=moment(fields.get("createdtime")),
    )


def _session_id(data: object) -> str:
    if isinstance(data, dict):
        return _word(_plain_keys(data).get("checkoutsessionid"))
    return _word(data)


def _word(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _plain_keys(fields: Mapping[str, object]) -> dict[str, object]:
    # Clover's pages print titles ("Merchant ID"), its webhooks have been seen to hold "merchantId".
    return {"".join(name.split()).lower(): value for name, value in fields.items()}


def _decoded(body: bytes) -> dict[str, object]:
    try:
        fields = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an event of Clover: {error}") from error
    return _plain_keys(fields)


def _parts(header: str) -> tuple[str, list[str]]:
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise WebhookNotVerified(f"header {HEADER} has no Unix time")
    return times[0], [value for name, _, value in pairs if name == "v1"]
