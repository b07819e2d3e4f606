"""What happens to an invoice reaches the seller's endpoint in SellApp's own shape, signed its way."""

import hashlib
import hmac

import pytest

from service.sandbox.delivery import DeliveryState
from service.sandbox.sellapp.signatures import sign
from tests.sandbox.harness import SECRET
from tests.sandbox.sellapp.bench import SellappBench, running


def test_the_signature_has_a_known_answer() -> None:
    """The second case of RFC 4231: HMAC-SHA256 in lower-case hexadecimal, under a key that is text."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("Jefe", b"what do ya want for nothing?") == expected


async def test_a_payment_is_told_by_two_events(sellapp: SellappBench) -> None:
    """Each names its event, the invoice and the store, and is signed over its raw body."""
    invoice = await sellapp.opened()
    deliveries = sellapp.sellapp.pay(str(invoice["id"]))
    assert [delivery.event_type for delivery in deliveries] == ["order.paid", "order.completed"]
    received = await sellapp.events(3)
    assert {got.event["event"] for got in received} == {
        "order.created",
        "order.paid",
        "order.completed",
    }
    for got in received:
        assert got.event | {"data": {"id": invoice["id"]}, "store": 1} == got.event
        digest = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
        assert {name.lower(): value for name, value in got.headers.items()}["signature"] == digest


async def test_delivery_may_come_later(sellapp: SellappBench) -> None:
    """Until the goods are handed over, the invoice is paid and not completed."""
    sellapp.habit(delivers_at_once=False)
    invoice = await sellapp.opened()
    deliveries = sellapp.sellapp.pay(str(invoice["id"]))
    assert [delivery.event_type for delivery in deliveries] == ["order.paid"]
    assert await sellapp.words(invoice) == ["PENDING", "PAID"]


async def test_what_is_refused_is_sent_again(sellapp: SellappBench) -> None:
    """The same bytes come again, and the invoice counts the tries."""
    sellapp.receiver.statuses = [500]
    invoice = await sellapp.invoice()
    first, second = await sellapp.events(2)
    assert first.body == second.body
    (delivery,) = sellapp.sellapp.session(str(invoice["id"])).deliveries
    while delivery.state is DeliveryState.PENDING:
        await delivery.tried.wait()
        await sellapp.read(invoice)
    (told,) = (await sellapp.read(invoice))["webhooks"]
    assert (told["attempts"], told["response"]) == (2, "200")


@pytest.mark.parametrize("word", ["COMPLETED", "PAID"])
async def test_a_free_purchase_is_told_like_any_other(sellapp: SellappBench, word: str) -> None:
    """Its event has the name of its status."""
    sellapp.habit(free_status=word)
    await sellapp.opened(coupon="FREE")
    events = {got.event["event"] for got in await sellapp.events(2)}
    assert events == {"order.created", f"order.{word.lower()}"}


async def test_without_an_endpoint_nothing_is_sent() -> None:
    """A seller without a webhook still has its invoices."""
    async with running(has_endpoint=False) as sellapp:
        invoice = await sellapp.opened()
        assert sellapp.sellapp.pay(str(invoice["id"])) == ()
        assert (await sellapp.read(invoice))["webhooks"] == []
