"""Webhooks are signed as Standard Webhooks say and retried until they are taken."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from service.sandbox.delivery import DeliveryState, StandardSigner, WebhookSender
from service.sandbox.dodo.emulation import RETRY_DELAYS
from tests.sandbox.harness import SECRET, Clock, Receiver, Waiting, serving


async def test_signature_is_the_published_one() -> None:
    """The known answer of the Standard Webhooks libraries comes out byte for byte.

    Source: standard-webhooks/standard-webhooks, libraries/python tests.
    """
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    moment = datetime.fromtimestamp(1614265330, tz=UTC)
    sender = WebhookSender(signer=StandardSigner(secret=SECRET, clock=lambda: moment), delays=[0])
    await sender.start()
    async with serving(app) as address:
        delivery = sender.send(
            url=f"{address}/",
            webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            event_type="test",
            body=lambda: b'{"test": 2432232314}',
        )
        await delivery.tried.wait()
    await sender.close()
    headers, body = receiver.received[0]
    assert body == b'{"test": 2432232314}'
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 400, 404, 409, 500, 503])
async def test_anything_but_success_is_tried_again(status: int) -> None:
    """Only a 2xx takes a webhook; a redirect is not followed."""
    receiver, waiting = Receiver(), Waiting()
    receiver.statuses = [status, status]
    delivery, webhook_ids = await _deliver(receiver, waiting, delays=[0, 5, 300])
    assert delivery == (DeliveryState.DELIVERED, 3, 200)
    assert waiting.delays == [5, 300]
    assert webhook_ids == {"msg_1"}


async def test_a_delivery_is_given_up_after_the_last_try() -> None:
    """Eight tries with the documented delays between them, then no more."""
    receiver, waiting = Receiver(), Waiting()
    receiver.statuses = [500] * 9
    delivery, _ = await _deliver(receiver, waiting, delays=list(RETRY_DELAYS))
    assert delivery == (DeliveryState.FAILED, 8, 500)
    assert waiting.delays == [5, 300, 1800, 7200, 18000, 36000, 36000]


async def test_a_receiver_that_is_not_there_counts_as_a_try() -> None:
    """A refused connection is recorded without a status and tried again."""
    sender = WebhookSender(
        signer=StandardSigner(secret=SECRET, clock=Clock()), delays=[0, 1], sleep=Waiting()
    )
    await sender.start()
    async with serving(web.Application()) as address:
        pass
    delivery = sender.send(url=address, webhook_id="msg_1", event_type="test", body=bytes)
    while delivery.state is DeliveryState.PENDING:
        await asyncio.sleep(0)
    await sender.close()
    assert (delivery.state, delivery.attempts, delivery.last_http_status) == (
        DeliveryState.FAILED,
        2,
        0,
    )


async def test_each_try_is_signed_anew() -> None:
    """A retry has the same id, the time of the try and the body of that moment."""
    receiver, clock = Receiver(), Clock()
    receiver.statuses = [500]
    bodies = iter([b"1", b"2"])

    async def step(_: float) -> None:
        clock.forward(seconds=5)

    sender = WebhookSender(
        signer=StandardSigner(secret=SECRET, clock=clock), delays=[0, 5], sleep=step
    )
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    await sender.start()
    async with serving(app) as address:
        sender.send(
            url=f"{address}/", webhook_id="msg_1", event_type="test", body=lambda: next(bodies)
        )
        first, second = await receiver.wait_for(2)
    await sender.close()
    assert (first.body, second.body) == (b"1", b"2")
    times = [int(got.headers["webhook-timestamp"]) for got in (first, second)]
    assert times[1] - times[0] == 5
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_closing_gives_up_what_waits() -> None:
    """A sender closes at once even while a delivery waits for its next try."""
    receiver, waiting = Receiver(), Waiting()
    receiver.statuses = [500]
    waiting.released.clear()
    sender = WebhookSender(
        signer=StandardSigner(secret=SECRET, clock=Clock()), delays=[0, 36_000], sleep=waiting
    )
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    await sender.start()
    async with serving(app) as address:
        delivery = sender.send(url=f"{address}/", webhook_id="msg_1", event_type="test", body=bytes)
        await delivery.tried.wait()
        await sender.close()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)


async def test_nothing_is_sent_before_the_start() -> None:
    """A sandbox that was never started says so."""
    sender = WebhookSender(signer=StandardSigner(secret=SECRET, clock=Clock()), delays=[0])
    with pytest.raises(RuntimeError, match="not started"):
        sender.send(url="http://127.0.0.1", webhook_id="msg_1", event_type="test", body=bytes)


async def _deliver(
    receiver: Receiver, waiting: Waiting, *, delays: list[float]
) -> tuple[tuple[DeliveryState, int, int], set[str]]:
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    sender = WebhookSender(
        signer=StandardSigner(secret=SECRET, clock=Clock()), delays=delays, sleep=waiting
    )
    await sender.start()
    async with serving(app) as address:
        delivery = sender.send(
            url=f"{address}/hook", webhook_id="msg_1", event_type="test", body=bytes
        )
        while delivery.state is DeliveryState.PENDING:
            await asyncio.sleep(0)
    await sender.close()
    webhook_ids = {got.headers["webhook-id"] for got in receiver.received}
    return (delivery.state, delivery.attempts, delivery.last_http_status), webhook_ids
