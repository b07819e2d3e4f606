"""The webhooks that Square sends about payments and orders."""

from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings
from service.sandbox.square.catalogue import MERCHANT_ID
from service.sandbox.square.order_payload import moment
from service.sandbox.square.payloads import encode, payment_details
from service.sandbox.square.records import Order, Payment
from service.sandbox.square.schema import JsonObject


class EventSender:
    """Sends events to the seller's subscription; without one, nothing is sent.

    What an event says is fixed when it happens, and its id with it: every try sends the same bytes.
    Events race each other to the receiver, as Square promises no order.
    """

    def __init__(self, around: Surroundings) -> None:
        self._sender = around.sender
        self._url = around.webhook_url
        self._clock = around.clock
        self._new_id = around.new_id

    def payment(self, event_type: str, payment: Payment) -> tuple[Delivery, ...]:
        """Start to tell what has become of a payment."""
        return self._send(
            event_type, "payment", payment.payment_id, {"payment": payment_details(payment)}
        )

    def order_updated(self, order: Order) -> tuple[Delivery, ...]:
        """Start to tell that an order has moved; the event has no amounts."""
        summary = {
            "order_id": order.order_id,
            "version": order.version,
            "location_id": order.location_id,
            "state": order.state,
            "created_at": moment(order.created_at),
            "updated_at": moment(order.updated_at),
        }
        return self._send(
            "order.updated", "order_updated", order.order_id, {"order_updated": summary}
        )

    def _send(
        self, event_type: str, data_type: str, data_id: str, content: JsonObject
    ) -> tuple[Delivery, ...]:
        if self._url is None:
            return ()
        event_id = self._new_id()
        body = encode(
            {
                "merchant_id": MERCHANT_ID,
                "type": event_type,
                "event_id": event_id,
                "created_at": moment(self._clock()),
                "data": {"type": data_type, "id": data_id, "object": content},
            }
        )
        delivery = self._sender.send(
            url=self._url, webhook_id=event_id, event_type=event_type, body=lambda: body
        )
        return (delivery,)
