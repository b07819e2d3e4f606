"""Square's webhooks: signed over the registered URL and the raw body, and read from the inner object."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from service.core.errors import WebhookNotVerified
from service.core.ports import DisputeReport, PaymentReport, ProviderEvent, RefundReport
from service.providers.secrets import Secret
from service.providers.signatures import MISMATCH, check_signatures, encoded, header_of
from service.providers.square import payloads
from service.providers.square.transformers import dispute_state, payment_report

Report = PaymentReport | RefundReport | DisputeReport

T = TypeVar("T")

HEADER = "x-square-hmacsha256-signature"


class Data(Struct, frozen=True):
    """The object an event is about, under the name of its kind."""

    content: object = field(default=None, name="object")


class Envelope(Struct, frozen=True):
    """What every event has."""

    type: str
    event_id: payloads.Id
    data: Data
    created_at: payloads.Time | None = None


class Reading(Struct, frozen=True):
    """What one event's object comes to, and the location it belongs to."""

    report: Report | None = None
    references: tuple[str, ...] = ()
    location_id: str | None = None


def verify(headers: Mapping[str, str], body: bytes, url: str, secrets: Sequence[Secret]) -> None:
    """Check the signature over URL and raw body against every key. Raises WebhookNotVerified."""
    given = encoded([header_of(headers, HEADER)])
    if secrets and not url:
        raise WebhookNotVerified("no webhook_url is configured")
    check_signatures(
        given,
        secrets,
        lambda key: signature(key, url, body).encode(),
        mismatch=f"{MISMATCH} and webhook_url",
    )
    if not body:
        raise WebhookNotVerified("the body is empty")


def signature(key: str, url: str, body: bytes) -> str:
    """Return what Square writes into the header: the key is text, and not decoded."""
    digest = hmac.digest(key.encode(), url.encode() + body, hashlib.sha256)
    return base64.b64encode(digest).decode()


def parse(body: bytes, location_id: str) -> Sequence[ProviderEvent]:
    """Return the one event of a verified webhook. Raises ValueError with the field that is wrong.

    A webhook subscription covers every location of the merchant: what happened at others is of other accounts.
    """
    envelope = _decoded(body)
    reading = _READERS.get(envelope.type, _nothing)(envelope.data.content)
    is_elsewhere = reading.location_id not in (None, "", location_id)
    return (
        ProviderEvent(
            event_id=envelope.event_id,
            event_type=envelope.type,
            occurred=envelope.created_at,
            references=() if is_elsewhere else reading.references,
            report=None if is_elsewhere else reading.report,
            is_elsewhere=is_elsewhere and reading.report is not None,
        ),
    )


def _payment(data: object) -> Reading:
    payment = _converted(data, payloads.PaymentAnswer).payment
    return Reading(
        report=payment_report(payment),
        references=_references(order=payment.order_id, payment=payment.id),
        location_id=payment.location_id,
    )


def _refund(data: object) -> Reading:
    refund = _converted(data, payloads.RefundAnswer).refund
    report = None
    if refund.status == "COMPLETED" and refund.payment_id:
        report = RefundReport(
            payment_id=refund.payment_id, refund_id=refund.id, amount=refund.amount_money.value
        )
    return Reading(
        report=report,
        # A refund has an order of its own, so the payment leads to the session.
        references=_references(payment=refund.payment_id, order=refund.order_id),
        location_id=refund.location_id,
    )


def _dispute(data: object) -> Reading:
    dispute = _converted(data, payloads.DisputeObject).dispute
    payment_id = dispute.disputed_payment.payment_id
    dispute_id = dispute.id or dispute.dispute_id
    if not dispute_id:
        raise ValueError("Object missing required field `id` - at `$.data.object.dispute`")
    return Reading(
        report=DisputeReport(
            payment_id=payment_id, dispute_id=dispute_id, status=dispute_state(dispute.state)
        ),
        references=_references(payment=payment_id),
        location_id=dispute.location_id,
    )


def _nothing(_: object) -> Reading:
    # An order's state says nothing of its payment: OPEN is not paid, and a paid one may stay OPEN.
    return Reading()


_READERS: Mapping[str, Callable[[object], Reading]] = MappingProxyType(
    {
        "dispute.created": _dispute,
        "dispute.state.changed": _dispute,
        "dispute.state.updated": _dispute,
        "payment.created": _payment,
        "payment.updated": _payment,
        "refund.created": _refund,
        "refund.updated": _refund,
    }
)
EVENTS = frozenset(_READERS)


def _references(**ids: str | None) -> tuple[str, ...]:
    return tuple(f"{kind}:{value}" for kind, value in ids.items() if value)


def _decoded(body: bytes) -> Envelope:
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an event of Square: {error}") from error


def _converted(data: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$", "`$.data.object")) from error
