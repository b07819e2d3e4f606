"""The webhook that Clover sends after each attempt to pay; it sends no other."""

import msgspec

from service.sandbox.clover.catalogue import MERCHANT_ID
from service.sandbox.clover.records import Payment
from service.sandbox.clover.times import unix_ms
from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings

PAYMENT = "PAYMENT"


class EventSender:
    """Sends events to the merchant's URL; without one, nothing is sent."""

    def __init__(self, around: Surroundings) -> None:
        self._sender = around.sender
        self._url = around.webhook_url

    def report(self, payment: Payment) -> tuple[Delivery, ...]:
        """Start to tell what came of an attempt."""
        if self._url is None:
            return ()
        body = msgspec.json.encode(
            {
                "createdTime": unix_ms(payment.created_at),
                "message": f"{payment.status.capitalize()} for {payment.amount}",
                "status": payment.status,
                "type": PAYMENT,
                "id": payment.payment_id,
                "merchantId": MERCHANT_ID,
                "data": payment.session.session_id,
            }
        )
        delivery = self._sender.send(
            url=self._url, webhook_id=payment.payment_id, event_type=PAYMENT, body=lambda: body
        )
        return (delivery,)
