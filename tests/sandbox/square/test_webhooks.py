"""What happens to a session reaches the seller's endpoint in Square's own shape, signed its way."""

import asyncio

import pytest

from service.sandbox.delivery import DeliveryState
from service.sandbox.square.emulation import RETRY_DELAYS
from service.sandbox.square.signatures import SIGNATURE, sign
from tests.sandbox.harness import SECRET
from tests.sandbox.square.bench import LINKS, SquareBench, running


@pytest.mark.parametrize(
    ("key", "url", "body", "expected"),
    [
        (
            "Ibxx_5AKakO-3qeNVR61Dw",
            "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
            (
                b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
                b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f",'
                b'"created_at":"2022-07-13T20:30:59.037339943Z",'
                b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
            ),
            "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
        ),
        (
            "signature-key",
            "https://webhook.site/webhooks",
            b'{"data":{"type":"webhooks","id":">id<"}}',
            "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
        ),
    ],
)
def test_the_signature_is_the_published_one(key: str, url: str, body: bytes, expected: str) -> None:
    """The known answers of Square's SDK come out byte for byte.

    Source: square/square-python-sdk, tests/integration/test_webhooks_helper.py.
    """
    assert sign(key, url, body) == expected


async def test_a_payment_is_told_in_three_events(square: SquareBench) -> None:
    """The payment is created as approved and updated as completed; the order only says it moved."""
    link = await square.link(payment_note="From the shop")
    square.square.pay(link["id"])
    events = {name: got.event for name, got in (await square.events(3)).items()}
    assert set(events) == {"payment.created", "payment.updated", "order.updated"}
    created, updated = events["payment.created"]["data"], events["payment.updated"]["data"]
    assert created["object"]["payment"]["status"] == "APPROVED"
    assert (updated["type"], updated["object"]["payment"]["status"]) == ("payment", "COMPLETED")
    order = await square.order_of(link)
    found = await square.good("GET", f"/v2/payments/{updated['id']}")
    assert updated["object"] == found
    assert found["payment"]["order_id"] == link["order_id"]
    assert events["order.updated"]["data"] == {
        "type": "order_updated",
        "id": link["order_id"],
        "object": {
            "order_updated": {
                "order_id": link["order_id"],
                "version": order["version"],
                "location_id": "LDEMO",
                "state": "OPEN",
                "created_at": order["created_at"],
                "updated_at": order["updated_at"],
            }
        },
    }
    assert {event["merchant_id"] for event in events.values()} == {"MLDEMO"}
    assert len({event["event_id"] for event in events.values()}) == 3


async def test_every_event_is_signed_over_the_registered_url(square: SquareBench) -> None:
    """The header holds the MAC of the URL and the raw body, keyed with the plain text of the key."""
    square.square.pay((await square.link())["id"])
    for got in await square.receiver.wait_for(3):
        assert got.headers[SIGNATURE] == sign(SECRET, square.hook_url, got.body)
        assert got.headers["Content-Type"] == "application/json"
        assert "webhook-signature" not in got.headers


async def test_a_declined_payment_is_told(square: SquareBench) -> None:
    """The payment has failed from the start, and the order has not moved."""
    square.square.decline((await square.link())["id"])
    events = await square.events(2)
    assert set(events) == {"payment.created", "payment.updated"}
    assert {got.event["data"]["object"]["payment"]["status"] for got in events.values()} == {
        "FAILED"
    }


async def test_a_deleted_link_is_told_by_its_order(square: SquareBench) -> None:
    """There is no event for links: the order says that it is cancelled."""
    link = await square.link()
    await square.good("DELETE", f"{LINKS}/{link['id']}")
    (got,) = await square.receiver.wait_for(1)
    assert got.event["type"] == "order.updated"
    assert got.event["data"]["object"]["order_updated"]["state"] == "CANCELED"


async def test_a_buyer_who_gives_up_is_not_told(square: SquareBench) -> None:
    """Leaving the page is nothing that Square knows of."""
    link = await square.link()
    assert square.square.abandon(link["id"]) == ()
    assert square.square.session(link["id"]).payments == ()


async def test_a_retry_sends_the_same_event(square: SquareBench) -> None:
    """Every try has the same id and bytes, whatever has happened since."""
    square.receiver.statuses = [500]
    square.waiting.released.clear()
    link = await square.link()
    await square.good("DELETE", f"{LINKS}/{link['id']}")
    (first,) = await square.receiver.wait_for(1)
    square.clock.forward(minutes=1)
    square.waiting.released.set()
    _, second = await square.receiver.wait_for(2)
    assert second.body == first.body
    assert square.waiting.delays == [60]


async def test_an_event_is_given_up_after_a_day() -> None:
    """The pauses double up to an hour and end within 24 hours."""
    assert 23 * 3600 < sum(RETRY_DELAYS) <= 24 * 3600
    async with running() as square:
        square.receiver.statuses = [500] * len(RETRY_DELAYS)
        link = await square.link()
        await square.good("DELETE", f"{LINKS}/{link['id']}")
        await square.receiver.wait_for(len(RETRY_DELAYS))
        (delivery,) = square.square.session(link["id"]).deliveries
        while delivery.state is DeliveryState.PENDING:
            await asyncio.sleep(0)
        assert delivery.state is DeliveryState.FAILED


async def test_without_an_endpoint_nothing_is_sent() -> None:
    """A seller without a subscription still has its payments."""
    async with running(has_endpoint=False) as square:
        link = await square.link()
        assert square.square.pay(link["id"]) == ()
        assert (await square.order_of(link))["state"] == "OPEN"
