"""Dodo's webhooks: signed as Standard Webhooks say, and read as a snapshot of what `type` names."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from service.core.errors import WebhookNotVerified
from service.core.model import Money
from service.core.ports import (
    DisputeReport,
    PaymentReport,
    ProviderEvent,
    RefundReport,
    SubscriptionReport,
)
from service.providers.dodo import payloads
from service.providers.dodo.transformers import (
    collected,
    dispute_state,
    is_authorisation,
    our_session_id,
    payment_report,
)
from service.providers.secrets import Secret
from service.providers.signatures import check_signatures, header_of

T = TypeVar("T")
Report = PaymentReport | RefundReport | DisputeReport | SubscriptionReport

TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that every secret has
# As base64 it would be a key of 36 to 96 bytes that happens to have none of 48 letters and signs.
HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2}){24,64}")
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")

# What a payment event's name says of the payment, for payments whose status is null.
STATUS_BY_TYPE: Mapping[str, str] = {
    "payment.succeeded": "succeeded",
    "payment.failed": "failed",
    "payment.processing": "processing",
    "payment.cancelled": "cancelled",
}
DISPUTE_EVENTS = frozenset(
    {
        "dispute.accepted",
        "dispute.cancelled",
        "dispute.challenged",
        "dispute.expired",
        "dispute.lost",
        "dispute.opened",
        "dispute.won",
    }
)
EVENTS = DISPUTE_EVENTS | STATUS_BY_TYPE.keys() | {"refund.succeeded", "subscription.active"}


class WebhookKey(NamedTuple):
    """The key that a webhook secret stands for, and the encoding it was found in."""

    key: bytes
    encoding: str


class Envelope(Struct, frozen=True):
    """What every event has."""

    type: str
    data: object
    timestamp: payloads.Time | None = None


class Reading(Struct, frozen=True):
    """What one event's data come to."""

    report: Report | None = None
    session_id: str = ""
    references: tuple[str, ...] = ()


def verify(
    headers: Mapping[str, str], body: bytes, now: datetime, secrets: Sequence[Secret]
) -> None:
    """Check the signature over the raw body against every secret. Raises WebhookNotVerified."""
    webhook_id, timestamp, signatures = (header_of(headers, name) for name in HEADERS)
    _check_time(timestamp, now)
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    check_signatures(
        list(_signatures(signatures)),
        secrets,
        lambda secret: hmac.digest(parse_secret(secret).key, signed, hashlib.sha256),
    )


def parse_secret(text: str) -> WebhookKey:
    """Return the key of a webhook secret and how it was written. Raises ValueError that names what it is instead."""
    prefixed = text.strip().removeprefix("v1,")
    encoded = prefixed.removeprefix(SECRET_PREFIX)
    prefix = SECRET_PREFIX if encoded != prefixed else ""
    if encoded.startswith(("whpk_", "whsk_")):
        raise ValueError("a key of asymmetric signing, where a shared secret (whsec_…) is needed")
    if not prefix and HEXADECIMAL.fullmatch(encoded):
        return WebhookKey(bytes.fromhex(encoded), "hexadecimal")
    standard = encoded.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a text that is not base64, with or without whsec_ before it") from error
    if not key:
        raise ValueError("an empty secret")
    name = "URL-safe base64" if {"-", "_"} & {*encoded} else "base64"
    return WebhookKey(key, f"{prefix} and {name}" if prefix else name)


def parse(headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
    """Return the one event of a verified webhook. Raises ValueError with the field that is wrong."""
    envelope = _decoded(body)
    reading = _read(envelope)
    return (
        ProviderEvent(
            event_id=headers.get("webhook-id", ""),
            event_type=envelope.type,
            occurred=envelope.timestamp,
            session_id=reading.session_id,
            references=reading.references,
            report=reading.report,
        ),
    )


def _read(envelope: Envelope) -> Reading:
    if envelope.type in STATUS_BY_TYPE:
        payment = _converted(envelope.data, payloads.Payment)
        return payment_reading(payment, STATUS_BY_TYPE[envelope.type])
    if envelope.type == "subscription.active":
        return _subscription(_converted(envelope.data, payloads.Subscription))
    if envelope.type == "refund.succeeded":
        return _refund(_converted(envelope.data, payloads.Refund))
    if envelope.type in DISPUTE_EVENTS:
        return _dispute(_converted(envelope.data, payloads.Dispute))
    return Reading()


def payment_reading(payment: payloads.Payment, status: str) -> Reading:
    """Return what a payment comes to, `status` standing in where it has none; nothing for a renewal."""
    if _is_renewal(payment):
        return Reading()
    subscription_id = payment.subscription_id or ""
    report: Report | None = payment_report(payment, status)
    if is_authorisation(payment):
        report = SubscriptionReport(
            subscription_id=subscription_id,
            authorised=True,
            authorised_time=payment.created_at,
            collected=collected(payment),
        )
    return Reading(
        report=report,
        session_id=our_session_id(payment.metadata),
        references=_references(
            session=payment.checkout_session_id,
            payment=payment.payment_id,
            subscription=subscription_id,
        ),
    )


def _is_renewal(payment: payloads.Payment) -> bool:
    # Renewals carry the first payment's metadata, ours included. What they lack is a checkout
    # session: Dodo sets it on payments that were made on one.
    is_recurring = bool(payment.subscription_id) and not payment.checkout_session_id
    return is_recurring or payment.is_update_payment_method is True


def _subscription(subscription: payloads.Subscription) -> Reading:
    if subscription.status != "active":
        return Reading()
    return Reading(
        report=SubscriptionReport(
            subscription_id=subscription.subscription_id,
            authorised=bool(subscription.trial_period_days) or subscription.on_demand is True,
            authorised_time=subscription.created_at,
            collected=collected(subscription),
        ),
        session_id=our_session_id(subscription.metadata),
        references=_references(subscription=subscription.subscription_id),
    )


def _amount(refund: payloads.Refund) -> Money | None:
    if refund.amount is None or refund.currency is None:
        return None
    return Money(refund.amount, refund.currency)


def _refund(refund: payloads.Refund) -> Reading:
    if refund.status != "succeeded":
        return Reading()
    return Reading(
        report=RefundReport(
            payment_id=refund.payment_id,
            refund_id=refund.refund_id,
            amount=_amount(refund),
        ),
        session_id=our_session_id(refund.metadata),
        references=_references(payment=refund.payment_id),
    )


def _dispute(dispute: payloads.Dispute) -> Reading:
    return Reading(
        report=DisputeReport(
            payment_id=dispute.payment_id,
            dispute_id=dispute.dispute_id,
            status=dispute_state(dispute.dispute_status),
        ),
        references=_references(payment=dispute.payment_id),
    )


def _references(**ids: str | None) -> tuple[str, ...]:
    return tuple(f"{kind}:{value}" for kind, value in ids.items() if value)


def _check_time(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookNotVerified("header webhook-timestamp is no Unix time")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise WebhookNotVerified("header webhook-timestamp is more than 5 minutes off")


def _signatures(header: str) -> Iterable[bytes]:
    for entry in header.split():
        version, _, encoded = entry.partition(",")
        if version != "v1":
            continue
        try:
            yield base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue


def _decoded(body: bytes) -> Envelope:
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an event of Dodo Payments: {error}") from error


def _converted(data: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$", "`$.data")) from error
