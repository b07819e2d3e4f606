"""FastSpring's webhooks: a batch of events, signed over the raw body, each read by itself."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import msgspec
from msgspec import Struct

from service.core.errors import WebhookNotVerified
from service.core.model import DisputeStatus, Money, PaymentState, SessionWarning
from service.core.ports import (
    DisputeReport,
    PaymentReport,
    ProviderEvent,
    RefundReport,
    SubscriptionReport,
)
from service.providers.answers import converted
from service.providers.fastspring import payloads
from service.providers.fastspring.amounts import Figures
from service.providers.fastspring.orders import (
    ORDER_STATES,
    collected,
    is_free,
    order_id,
    payment_report,
    subscription_id,
)
from service.providers.fastspring.reading import (
    id_of,
    moment,
    number,
    our_session_id,
)
from service.providers.secrets import Secret
from service.providers.signatures import check_signatures, encoded, header_of

Report = PaymentReport | RefundReport | DisputeReport | SubscriptionReport

HEADER = "x-fs-signature"
DISPUTES: Mapping[str, DisputeStatus] = {
    "WON": DisputeStatus.WON,
    "LOST": DisputeStatus.LOST,
}
NOT_DELIVERED = SessionWarning(
    "FULFILLMENT_FAILED", message="the order is paid, and FastSpring could not deliver all of it"
)


class Batch(Struct, frozen=True):
    """The body of a webhook."""

    events: list[msgspec.Raw]


class Event(Struct, frozen=True):
    """What every event has."""

    id: payloads.Id
    type: str
    data: object = None
    live: bool | None = None
    created: object = None


class Reading(Struct, frozen=True):
    """What one event's data come to."""

    report: Report | None = None
    session_id: str = ""
    references: tuple[str, ...] = ()


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> None:
    """Check the signature over the raw body against every secret. Raises WebhookNotVerified."""
    given = encoded([header_of(headers, HEADER)])
    check_signatures(given, secrets, lambda secret: signature(secret, body).encode())
    if not body:
        raise WebhookNotVerified("the body is empty")


def signature(secret: str, body: bytes) -> str:
    """Return what FastSpring writes into the header: the secret is text, and not decoded."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def parse(body: bytes, *, live: bool) -> Sequence[ProviderEvent]:
    """Return the events of a verified webhook; `live` is the mode of the account.

    Raises ValueError for a body without events. An event that cannot be read says so and stands for itself.
    """
    try:
        batch = msgspec.json.decode(body, type=Batch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a webhook of FastSpring: {error}") from error
    return [_event(bytes(raw), live=live) for raw in batch.events]


def told(event: Event, *, live: bool, body: bytes = b"") -> ProviderEvent:
    """Return an event in our words. Raises ValueError with what is wrong.

    One of another mode than the account's is of another account, unless it has our id: its session then judges it.
    """
    reading = read(event)
    is_crossed = event.live is not None and event.live is not live
    is_nobodys = is_crossed and not reading.session_id
    return ProviderEvent(
        event_id=event.id,
        event_type=event.type,
        occurred=moment(event.created),
        session_id=reading.session_id,
        references=() if is_nobodys else reading.references,
        report=None if is_nobodys else reading.report,
        is_elsewhere=is_nobodys and reading.report is not None,
        body=body,
        stands_alone=True,
    )


def unreadable(cause: ValueError, body: bytes = b"") -> ProviderEvent:
    """Return what is left of an event that cannot be read."""
    return ProviderEvent(
        event_id="", event_type="", body=body, stands_alone=True, unreadable=str(cause)
    )


def _event(raw: bytes, *, live: bool) -> ProviderEvent:
    try:
        return told(_decoder().decode(raw), live=live, body=raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return unreadable(ValueError(str(error)), raw)


def read(event: Event) -> Reading:
    """Read what an event is about. Raises ValueError with what is wrong."""
    return _READERS.get(event.type, _nothing)(event)


def _decoder() -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(Event, float_hook=Decimal)


def _order(event: Event) -> Reading:
    order = _converted_order(event.data)
    report: Report = payment_report(order, event.type, live=event.live)
    if is_free(order) and ORDER_STATES[event.type] is PaymentState.PAID:
        report = SubscriptionReport(
            subscription_id=subscription_id(order),
            authorised=True,
            authorised_time=moment(order.completed) or moment(order.changed),
            collected=collected(order),
            live=event.live,
        )
    # Without its expansion an event has no tags: then the order is asked for them.
    unknown = None if isinstance(order.tags, Mapping) else order_id(order)
    return Reading(
        report=report,
        session_id=our_session_id(order.tags),
        references=_references(
            payment=order_id(order), subscription=subscription_id(order), order=unknown
        ),
    )


def _converted_order(data: object) -> payloads.Order:
    order = converted({"id": data} if isinstance(data, str) else data, payloads.Order)
    if not order_id(order):
        raise ValueError("unreadable_body: the order has no id")
    return order


def _fulfillment(event: Event) -> Reading:
    named = id_of(converted(event.data, payloads.Fulfillment).order)
    if not named:
        return Reading()
    return Reading(
        report=PaymentReport(
            payment_id=named,
            status=PaymentState.PAID,
            payment_time=moment(event.created),
            warnings=(NOT_DELIVERED,),
            live=event.live,
        ),
        references=_references(payment=named, order=named),
    )


def _return(event: Event) -> Reading:
    refund = converted(event.data, payloads.Return)
    named = refund.original.order or refund.original.id or ""
    if refund.completed is False or not named:
        return Reading()
    return Reading(
        report=RefundReport(payment_id=named, refund_id=refund.return_id, amount=_returned(refund)),
        session_id=our_session_id(refund.original.tags),
        references=_references(payment=named),
    )


def _returned(refund: payloads.Return) -> Money | None:
    amount = number(refund.total_return)
    money = Figures(refund.currency).money("totalReturn", amount)
    if amount is not None and money is None:
        # Without amount it would count as a refund of everything.
        raise ValueError("unreadable_body: totalReturn is no amount of its currency")
    return money


def _chargeback(event: Event) -> Reading:
    dispute = converted(event.data, payloads.Chargeback)
    named = id_of(dispute.order) or dispute.id or ""
    if not named:
        raise ValueError("unreadable_body: the chargeback names no order")
    return Reading(
        report=DisputeReport(
            payment_id=named,
            dispute_id=dispute.processor_case_id or dispute.id or named,
            status=DISPUTES.get((dispute.status or "").upper(), DisputeStatus.OPEN),
        ),
        references=_references(payment=named),
    )


def _subscription(event: Event) -> Reading:
    data = {"id": event.data} if isinstance(event.data, str) else event.data
    subscription = converted(data, payloads.Subscription)
    named = subscription.id or id_of(subscription.subscription)
    if not named:
        raise ValueError("unreadable_body: the subscription has no id")
    return Reading(
        report=SubscriptionReport(
            subscription_id=named,
            authorised=subscription.state == "trial",
            authorised_time=moment(subscription.changed),
            live=event.live,
        ),
        session_id=our_session_id(subscription.tags),
        references=_references(subscription=named, payment=subscription.initial_order_id),
    )


def _nothing(_: Event) -> Reading:
    return Reading()


_READERS: Mapping[str, Callable[[Event], Reading]] = MappingProxyType(
    {
        **dict.fromkeys(ORDER_STATES, _order),
        "chargeback.created": _chargeback,
        "fulfillment.failed": _fulfillment,
        "order.chargeback": _chargeback,
        "order.chargebacks": _chargeback,
        "return.created": _return,
        "subscription.activated": _subscription,
    }
)
EVENTS = frozenset(_READERS)


def _references(**ids: str | None) -> tuple[str, ...]:
    return tuple(f"{kind}:{value}" for kind, value in ids.items() if value)
