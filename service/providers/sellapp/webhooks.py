"""SellApp's webhooks: signed over the raw body, and no more than hints, for nothing proves when they were sent."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from service.core.ports import ProviderEvent
from service.providers.secrets import Secret
from service.providers.signatures import check_signatures, encoded, header_of

HEADER = "signature"
# `order.created` tells what this service did itself; nothing tells that an invoice was voided or has ended.
EVENTS = frozenset(
    {
        "order.completed",
        "order.disputed",
        "order.manual_payment_completed",
        "order.paid",
        "order.partial_paid",
    }
)


class Data(Struct, frozen=True):
    """What an event is about."""

    id: int | str | None = None


class Envelope(Struct, frozen=True):
    """What every event has."""

    event: str
    data: object = None


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> None:
    """Check the signature over the raw body against every secret. Raises WebhookNotVerified."""
    given = encoded([header_of(headers, HEADER)])
    check_signatures(given, secrets, lambda secret: signature(secret, body).encode())


def signature(secret: str, body: bytes) -> str:
    """Return what SellApp writes into the header: lower-case hexadecimal, under a secret that is text."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def parse(headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
    """Return the one event of a verified webhook. Raises ValueError for what is none of SellApp's."""
    envelope = _decoded(body)
    if envelope.event not in EVENTS:
        return (ProviderEvent(event_id="", event_type=envelope.event),)
    invoice_id = _invoice_id(envelope.data)
    # Nothing numbers deliveries; the signature tells whether two say the same, and shows nobody what.
    told = headers.get(HEADER, "")[:16]
    return (
        ProviderEvent(
            event_id=f"{envelope.event}:{invoice_id}:{told}",
            event_type=envelope.event,
            references=(f"session:{invoice_id}",),
            is_hint=True,
        ),
    )


def _invoice_id(data: object) -> str:
    try:
        found = msgspec.convert(data, Data).id
    except msgspec.ValidationError as error:
        raise ValueError(f"in `$.data`: {error}") from error
    if found in {None, ""}:
        raise ValueError("an event without `$.data.id`")
    return str(found)


def _decoded(body: bytes) -> Envelope:
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an event of SellApp: {error}") from error
