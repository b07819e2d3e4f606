"""What happens to a session reaches the store's endpoint in signed batches, until every event is acknowledged."""

import pytest

from service.sandbox.delivery import DeliveryState
from service.sandbox.emulator import SessionEnded, SessionUnknown
from service.sandbox.fastspring.emulation import RETRY_DELAYS
from service.sandbox.fastspring.signatures import SIGNATURE, sign
from tests.sandbox.fastspring.bench import FastspringBench, cart, item, running
from tests.sandbox.harness import SECRET


def test_the_signature_is_hmac_sha256_in_base64() -> None:
    """RFC 4231, test case 2, the way developer.fastspring.com/docs/message-security writes it."""
    expected = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    assert sign("Jefe", b"what do ya want for nothing?") == expected


async def test_a_purchase_is_told_in_one_signed_batch(fastspring: FastspringBench) -> None:
    """The order comes first and its subscription after it, with the tags of the session."""
    made = await fastspring.create(
        cart=cart(item(), item("demo-subscription")), orderTags={"order": "42"}
    )
    (delivery,) = fastspring.fastspring.pay(made["id"])
    (got,) = await fastspring.receiver.wait_for(1)
    assert got.headers[SIGNATURE] == sign(SECRET, got.body)
    order, subscription = got.event["events"]
    assert (order["type"], order["live"]) == ("order.completed", False)
    assert order["created"] == 1772366400000
    assert order["data"]["completed"] is True
    assert order["data"]["tags"] == subscription["data"]["tags"] == {"order": "42"}
    assert subscription["type"] == "subscription.activated"
    started = subscription["data"]["id"]
    assert [line.get("subscription") for line in order["data"]["items"]] == [None, started]
    assert delivery.event_type == "order.completed subscription.activated"


async def test_a_batch_is_sent_again_until_all_of_it_is_acknowledged(
    fastspring: FastspringBench,
) -> None:
    """202 takes what it names; the rest comes again under the same id, and 200 takes everything."""
    fastspring.receiver.acknowledged = [1, 0]
    made = await fastspring.create(cart=cart(item("demo-subscription")))
    (delivery,) = fastspring.fastspring.pay(made["id"])
    first, second, third = await fastspring.receiver.wait_for(3)
    assert [len(got.event["events"]) for got in (first, second, third)] == [2, 1, 1]
    rest = first.event["events"][1]
    assert second.event["events"] == third.event["events"] == [rest]
    assert fastspring.waiting.delays == list(RETRY_DELAYS[1:3])
    events = (await fastspring.good("GET", "/events/processed?days=1"))["events"]
    assert [event["type"] for event in events] == ["order.completed", "subscription.activated"]
    assert delivery.state is DeliveryState.DELIVERED


async def test_any_other_answer_is_a_failure(fastspring: FastspringBench) -> None:
    """FastSpring tries thirteen times in all, the last days apart, and gives up."""
    fastspring.receiver.statuses = [500, 204, 301, *(400 for _ in RETRY_DELAYS)]
    made = await fastspring.create()
    (delivery,) = fastspring.fastspring.pay(made["id"])
    received = await fastspring.receiver.wait_for(len(RETRY_DELAYS))
    assert len({got.body for got in received}) == 1
    assert fastspring.waiting.delays == [delay for delay in RETRY_DELAYS if delay]
    events = (await fastspring.good("GET", "/events/unprocessed?days=1"))["events"]
    assert len(events) == 1
    assert delivery.attempts == len(RETRY_DELAYS) == 13


async def test_declines_refunds_and_disputes_are_told(fastspring: FastspringBench) -> None:
    """Each in the shape of its own page."""
    made = await fastspring.create()
    shop = fastspring.fastspring
    shop.decline(made["id"])
    await fastspring.receiver.wait_for(1)
    shop.pay(made["id"])
    await fastspring.receiver.wait_for(2)
    shop.refund(made["id"], 500)
    await fastspring.receiver.wait_for(3)
    shop.dispute(made["id"])
    events = [got.event["events"][0] for got in await fastspring.receiver.wait_for(4)]
    declined, paid, returned, disputed = (event["data"] for event in events)
    assert [event["type"] for event in events] == [
        "order.failed",
        "order.completed",
        "return.created",
        "chargeback.created",
    ]
    assert (declined["completed"], declined["reason"]) == (False, "DECLINED")
    assert declined["id"] != paid["id"]
    assert (returned["totalReturn"], returned["original"]["order"]) == (5.0, paid["id"])
    assert (disputed["order"], disputed["status"]) == (paid["id"], "NEW")


async def test_what_was_not_bought_cannot_be_returned(fastspring: FastspringBench) -> None:
    """Nor can what is bought be bought again, or a payment come that nobody owes."""
    made = await fastspring.create()
    shop = fastspring.fastspring
    with pytest.raises(SessionUnknown):
        shop.refund(made["id"], 1)
    with pytest.raises(SessionUnknown):
        shop.dispute(made["id"])
    with pytest.raises(SessionEnded):
        shop.complete(made["id"])
    assert shop.abandon(made["id"]) == ()
    shop.pay(made["id"])
    for again in (shop.pay, shop.submit, shop.decline, shop.abandon, shop.complete):
        with pytest.raises(SessionEnded):
            again(made["id"])


async def test_expansion_can_be_off(fastspring: FastspringBench) -> None:
    """Then an event has the order's id alone."""
    fastspring.fastspring.sends_bare_events = True
    made = await fastspring.create()
    fastspring.fastspring.pay(made["id"])
    (got,) = await fastspring.receiver.wait_for(1)
    (event,) = got.event["events"]
    order = await fastspring.good("GET", f"/orders/{event['data']}")
    assert order["completed"] is True


async def test_an_event_can_be_spoilt(fastspring: FastspringBench) -> None:
    """The last of each batch then has no shape that anybody documents."""
    fastspring.fastspring.breaks_events = True
    made = await fastspring.create(cart=cart(item("demo-subscription")))
    fastspring.fastspring.pay(made["id"])
    (got,) = await fastspring.receiver.wait_for(1)
    order, spoilt = got.event["events"]
    assert order["data"]["id"]
    assert spoilt["data"] == {"id": 1}


async def test_without_an_endpoint_events_are_only_listed() -> None:
    """A store may configure no webhook."""
    async with running(has_endpoint=False) as fastspring:
        made = await fastspring.create()
        assert fastspring.fastspring.pay(made["id"]) == ()
        events = (await fastspring.good("GET", "/events/unprocessed?days=1"))["events"]
        assert [event["type"] for event in events] == ["order.completed"]
