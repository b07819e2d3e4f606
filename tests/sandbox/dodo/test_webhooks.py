"""What happens to a session reaches the merchant's endpoint in Dodo's own shape."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from service.sandbox.delivery import DeliveryState
from tests.sandbox.dodo import shapes
from tests.sandbox.harness import SECRET, Bench, body_with, item, running

METADATA = {"checkout_session_id": "cs_1"}


async def test_a_payment_is_reported_with_its_session(bench: Bench) -> None:
    """The event carries the payment as the API returns it, the session's id and its metadata."""
    created = await bench.create(metadata=METADATA)
    bench.sandbox.emulators["dodo"].pay("cs_1")
    (got,) = await bench.receiver.wait_for(1)
    event = got.event
    assert (event["type"], event["business_id"]) == ("payment.succeeded", "bus_demo")
    assert event["timestamp"] == "2026-03-01T12:00:00.000000Z"
    data = event["data"]
    assert data.pop("payload_type") == "Payment"
    shapes.check(shapes.PAYMENT, data)
    _, payment = await bench.call("GET", f"/payments/{data['payment_id']}")
    assert data == payment
    assert data["checkout_session_id"] == created["session_id"]
    assert data["metadata"] == METADATA


async def test_the_signature_verifies_with_the_official_library() -> None:
    """A receiver that uses the library and the shared secret accepts what is sent."""
    async with running() as bench:
        bench.clock.now = datetime.now(UTC)
        await bench.create(metadata=METADATA)
        bench.sandbox.emulators["dodo"].pay("cs_1")
        (got,) = await bench.receiver.wait_for(1)
    Webhook(SECRET).verify(got.body, dict(got.headers))


@pytest.mark.parametrize(
    ("action", "event_type", "status", "code"),
    [
        ("decline", "payment.failed", "failed", "CARD_DECLINED"),
        ("abandon", "payment.cancelled", "cancelled", "CUSTOMER_CANCELLED"),
    ],
)
async def test_an_attempt_that_fails_is_reported(
    bench: Bench, action: str, event_type: str, status: str, code: str
) -> None:
    """A declined and a cancelled attempt have events of their own."""
    created = await bench.create()
    getattr(bench.sandbox.emulators["dodo"], action)(created["session_id"])
    (got,) = await bench.receiver.wait_for(1)
    assert got.event["type"] == event_type
    assert (got.event["data"]["status"], got.event["data"]["error_code"]) == (status, code)


async def test_a_subscription_is_reported_beside_its_payment(bench: Bench) -> None:
    """A paid plan sends both events; only the payment names the checkout session."""
    addons = [{"addon_id": "adn_demo", "quantity": 2}]
    await bench.create(
        product_cart=[item("pdt_demo_subscription", addons=addons)],
        subscription_data={"trial_period_days": 14},
        metadata=METADATA,
    )
    bench.sandbox.emulators["dodo"].pay("cs_1")
    events = {got.event["type"]: got.event["data"] for got in await bench.receiver.wait_for(2)}
    subscription, payment = events["subscription.active"], events["payment.succeeded"]
    assert subscription.pop("payload_type") == "Subscription"
    shapes.check(shapes.SUBSCRIPTION, subscription)
    assert subscription["metadata"] == METADATA
    assert subscription["recurring_pre_tax_amount"] == 1500
    assert subscription["next_billing_date"] == "2026-03-15T12:00:00.000000Z"
    assert payment["total_amount"] == 0
    assert payment["subscription_id"] == subscription["subscription_id"]
    assert payment["subscription_ids"] == [subscription["subscription_id"]]
    assert payment["product_cart"] is None


async def test_a_retry_is_a_snapshot_of_its_moment(bench: Bench) -> None:
    """The event keeps its time and id, and its data is what is true when it is delivered."""
    bench.receiver.statuses = [500]
    bench.waiting.released.clear()
    created = await bench.create(confirm=True, **_confirmed())
    emulator = bench.sandbox.emulators["dodo"]
    emulator.decline(created["session_id"])
    (first,) = await bench.receiver.wait_for(1)
    bench.clock.forward(minutes=1)
    bench.waiting.released.set()
    _, second = await bench.receiver.wait_for(2)
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.event == first.event
    assert second.headers["webhook-timestamp"] != first.headers["webhook-timestamp"]


async def test_deliveries_are_kept_with_the_session(bench: Bench) -> None:
    """Each delivery of a session shows its tries and how it ended."""
    bench.receiver.statuses = [503]
    created = await bench.create()
    emulator = bench.sandbox.emulators["dodo"]
    emulator.pay(created["session_id"])
    await bench.receiver.wait_for(2)
    (delivery,) = emulator.session(created["session_id"]).deliveries
    while delivery.state is DeliveryState.PENDING:
        await asyncio.sleep(0)
    assert (delivery.event_type, delivery.attempts, delivery.last_http_status) == (
        "payment.succeeded",
        2,
        200,
    )


async def test_without_an_endpoint_nothing_is_sent() -> None:
    """A merchant without a webhook endpoint still has its payments."""
    async with running(has_endpoint=False) as bench:
        created = await bench.create()
        emulator = bench.sandbox.emulators["dodo"]
        assert emulator.pay(created["session_id"]) == ()
        assert emulator.session(created["session_id"]).deliveries == ()


def _confirmed() -> dict[str, Any]:
    return {
        "customer": {"customer_id": "cus_demo"},
        "minimal_address": True,
        "billing_address": {"country": "US", "zipcode": "62701"},
        "product_cart": body_with()["product_cart"],
    }
