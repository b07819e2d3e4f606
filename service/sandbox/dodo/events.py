"""The webhooks that Dodo sends about a payment and the subscriptions it started."""

from collections.abc import Callable
from functools import partial

from service.sandbox.delivery import Delivery
from service.sandbox.dodo.catalogue import BUSINESS_ID
from service.sandbox.dodo.payloads import (
    JsonObject,
    encode,
    moment,
    payment_details,
    subscription_details,
)
from service.sandbox.dodo.records import Payment
from service.sandbox.emulation import Surroundings


class EventSender:
    """Sends events to the merchant's endpoint; without one, nothing is sent."""

    def __init__(self, around: Surroundings) -> None:
        self._sender = around.sender
        self._url = around.webhook_url
        self._clock = around.clock
        self._new_id = around.new_id

    def report(self, payment: Payment, *, link: str) -> tuple[Delivery, ...]:
        """Start to deliver what has just happened to a payment.

        The events race each other to the receiver, as the documents promise no order.
        """
        if self._url is None:
            return ()
        started = [
            self._send(
                self._url,
                "subscription.active",
                "Subscription",
                partial(subscription_details, subscription),
            )
            for subscription in payment.subscriptions
        ]
        name, data = f"payment.{payment.status}", partial(payment_details, payment, link=link)
        return (*started, self._send(self._url, name, "Payment", data))

    def _send(
        self, url: str, event_type: str, payload_type: str, data: Callable[[], JsonObject]
    ) -> Delivery:
        happened = moment(self._clock())

        def body() -> bytes:
            # The envelope tells when the event happened; the data is a snapshot at delivery.
            return encode(
                {
                    "business_id": BUSINESS_ID,
                    "type": event_type,
                    "timestamp": happened,
                    "data": {"payload_type": payload_type, **data()},
                }
            )

        webhook_id = f"msg_{self._new_id()}"
        return self._sender.send(url=url, webhook_id=webhook_id, event_type=event_type, body=body)
