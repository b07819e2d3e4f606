"""Each attempt to pay reaches the merchant's URL in Clover's own shape, signed its way."""

import asyncio

import pytest

from service.sandbox.clover.signatures import SIGNATURE, sign
from service.sandbox.delivery import DeliveryState
from tests.sandbox.clover.bench import MERCHANT, CloverBench, running
from tests.sandbox.harness import SECRET


@pytest.mark.parametrize(
    ("secret", "time", "body", "expected"),
    [
        (
            "a1b2c3d4-1111-2222-3333-a1b2c3d4e5f6",
            1642599079,
            (
                b'{"createdTime":1642599079000,"message":"Approved for 1500","status":"APPROVED",'
                b'"type":"PAYMENT","id":"5WB4J4BNZ41V6","merchantId":"FKKVS5QZVMS41",'
                b'"data":"4de24107-dd60-4f50-b474-37e049a61b40"}'
            ),
            "dc02cfd34f17a65cb9986d8b14a77d3c9c96c9a0040418dc38755512f839ddee",
        ),
        (
            "a1b2c3d4-1111-2222-3333-a1b2c3d4e5f6",
            1642599079,
            b"",
            "6566da65492166d8d96ff559d6c841133c616273b725d6b2c9e2d191254174ef",
        ),
    ],
)
def test_the_signature_is_what_openssl_makes(
    secret: str, time: int, body: bytes, expected: str
) -> None:
    """Made with `printf '<t>.<body>' | openssl dgst -sha256 -hmac '<secret>'`; Clover publishes none."""
    assert sign(secret, time, body) == f"t={time},v1={expected}"


async def test_an_approval_is_told(clover: CloverBench) -> None:
    """Seven fields, the amount in cents inside a text, and the checkout's id as the data."""
    session_id = (await clover.create())["checkoutSessionId"]
    clover.clock.forward(minutes=1)
    clover.clover.pay(session_id)
    (got,) = await clover.receiver.wait_for(1)
    (payment,) = clover.clover.session(session_id).payments
    assert got.event == {
        "createdTime": 1772366460000,
        "message": "Approved for 1000",
        "status": "APPROVED",
        "type": "PAYMENT",
        "id": payment.payment_id,
        "merchantId": MERCHANT,
        "data": session_id,
    }
    assert len(payment.payment_id) == 13
    assert got.headers[SIGNATURE] == sign(SECRET, 1772366460, got.body)
    assert got.headers["Content-Type"] == "application/json"


async def test_a_decline_and_an_approval_are_two_payments(clover: CloverBench) -> None:
    """Both name the same checkout."""
    session_id = (await clover.create())["checkoutSessionId"]
    clover.clover.decline(session_id)
    clover.clover.pay(session_id)
    events = [got.event for got in await clover.receiver.wait_for(2)]
    assert {event["message"] for event in events} == {"Declined for 1000", "Approved for 1000"}
    assert {event["data"] for event in events} == {session_id}
    assert len({event["id"] for event in events}) == 2


async def test_a_buyer_who_gives_up_is_not_told(clover: CloverBench) -> None:
    """Neither leaving nor expiry is anything that Clover tells."""
    session_id = (await clover.create())["checkoutSessionId"]
    assert clover.clover.abandon(session_id) == ()
    assert clover.clover.session(session_id).payments == ()


async def test_a_webhook_is_tried_once(clover: CloverBench) -> None:
    """No second try is documented, so none is pretended."""
    clover.receiver.statuses = [500]
    session_id = (await clover.create())["checkoutSessionId"]
    (delivery,) = clover.clover.pay(session_id)
    await clover.receiver.wait_for(1)
    while delivery.state is DeliveryState.PENDING:
        await asyncio.sleep(0)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
    assert clover.waiting.delays == []


async def test_without_an_endpoint_nothing_is_sent() -> None:
    """A merchant without a webhook URL still has its payments."""
    async with running(has_endpoint=False) as clover:
        session_id = (await clover.create())["checkoutSessionId"]
        assert clover.clover.pay(session_id) == ()
        assert len(clover.clover.session(session_id).payments) == 1
