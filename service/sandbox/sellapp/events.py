"""The webhooks that SellApp sends about orders, which invoices are."""

from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings
from service.sandbox.sellapp.payloads import encode
from service.sandbox.sellapp.records import Invoice


class EventSender:
    """Sends events to the store's endpoint; without one, nothing is sent.

    An event names the invoice and says no more, as in the documents' sample. Events race each other
    to the receiver.
    """

    def __init__(self, around: Surroundings) -> None:
        self.url = around.webhook_url or ""
        self._sender = around.sender
        self._new_id = around.new_id

    def report(self, invoice: Invoice, *names: str) -> tuple[Delivery, ...]:
        """Start to tell what has happened to an invoice, and note it there."""
        started = tuple(self._send(invoice, name) for name in names if self.url)
        invoice.deliveries.extend(started)
        return started

    def _send(self, invoice: Invoice, name: str) -> Delivery:
        content = {
            "event": name,
            "data": {"id": invoice.invoice_id},
            "store": invoice.store.store_id,
        }
        body = encode(content)
        return self._sender.send(
            url=self.url, webhook_id=self._new_id(), event_type=name, body=lambda: body
        )
