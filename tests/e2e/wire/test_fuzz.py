"""Random and damaged requests and webhooks: refused in words or taken, and never a fault of the service.

`FUZZ_CALLS`, `FUZZ_WEBHOOKS` and `FUZZ_SEED` make it more and other ones.
"""

import asyncio
import base64
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import grpc
import grpc.aio
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.fuzzing import METHODS, Fuzzer
from tests.e2e.wire.provider import WEBHOOK_SECRET
from tests.e2e.wire.requests import TIMEOUT, create_request
from tests.e2e.wire.webhooks import PATH, Delivery, deliver, payment_event, signed

CALLS = int(os.environ.get("FUZZ_CALLS", "2000"))
WEBHOOKS = int(os.environ.get("FUZZ_WEBHOOKS", "500"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
AT_ONCE = 16

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + (CALLS + WEBHOOKS) / 100)]

Code = grpc.StatusCode
EXPECTED = {Code.OK, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.ALREADY_EXISTS}
SESSION = pb.GetSessionRequest


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service whose sandbox signs with a known secret."""
    settings = {
        "CHECKOUT_LOG_LEVEL": "info",
        "CHECKOUT_SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    with start(folder, settings) as service:
        yield service


async def at_once(work: Callable[[], Awaitable[None]], count: int) -> None:
    """Do something often, a few at a time."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await work()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def test_random_requests(fuzzed: ServiceProcess) -> None:
    """No request whatever is answered INTERNAL or UNKNOWN, or stops the service."""
    fuzzer, codes = Fuzzer(SEED), Counter[grpc.StatusCode]()
    unexpected: list[tuple[str, bytes, str]] = []
    async with fuzzed.aio_channel() as channel:
        methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {
            name: channel.unary_unary(f"/checkout.v1.CheckoutService/{name}") for name in METHODS
        }

        async def call() -> None:
            name, raw = fuzzer.request()
            code, said = Code.OK, ""
            try:
                await methods[name](raw, timeout=TIMEOUT)
            except grpc.aio.AioRpcError as error:
                code, said = error.code(), f"{error.code().name}: {error.details()}"
            codes[code] += 1
            if code not in EXPECTED:
                unexpected.append((name, raw, said))

        await at_once(call, CALLS)
    sys.stdout.write(f"{codes}\n")
    assert unexpected[:5] == []
    assert fuzzed.is_running
    assert [line for line in fuzzed.log() if line["level"] == "error"] == []
    assert codes[Code.OK] > CALLS / 50
    assert codes[Code.INVALID_ARGUMENT] > CALLS / 5


def forged(fuzzer: Fuzzer, genuine: Delivery) -> Delivery:
    """Change what a signature covers, or the signature."""
    headers, body = dict(genuine.headers), genuine.body
    match fuzzer.pick(7):
        case 0:
            body = fuzzer.damaged(body)
        case 1:
            headers["webhook-id"] += "x"
        case 2:
            headers["webhook-timestamp"] = "1" + fuzzer.other_digits("234567890")
        case 3:
            signature = fuzzer.damaged(base64.b64decode(headers["webhook-signature"][3:]))
            headers["webhook-signature"] = f"v1,{base64.b64encode(signature).decode()}"
        case 4:
            headers["webhook-signature"] = "v2" + headers["webhook-signature"][2:]
        case 5:
            del headers[("webhook-id", "webhook-timestamp", "webhook-signature")[fuzzer.pick(3)]]
        case _:
            other = base64.b64encode(fuzzer.other_digits("0" * 32).encode()).decode()
            return signed(body.decode(), f"whsec_{other}")
    return Delivery(headers, body)


async def test_forged_webhooks(fuzzed: ServiceProcess) -> None:
    """No webhook that was changed after it was signed is taken, and the genuine one still is."""
    with fuzzed.channel() as channel:
        stub = CheckoutServiceStub(channel)
        session_id = stub.CreateSession(create_request(), timeout=TIMEOUT).session.session_id
        genuine, statuses = signed(payment_event(session_id)), Counter[int]()
        fuzzer, url = Fuzzer(SEED), f"http://{fuzzed.web}{PATH}"
        async with aiohttp.ClientSession() as client:

            async def send() -> None:
                headers, body = forged(fuzzer, genuine)
                async with client.post(url, data=body, headers=headers) as answer:
                    statuses[answer.status] += 1

            await at_once(send, WEBHOOKS)
        sys.stdout.write(f"{statuses}\n")
        assert statuses == {401: WEBHOOKS}
        unpaid = stub.GetSession(SESSION(session_id=session_id), timeout=TIMEOUT).session
        assert unpaid.state == session_pb2.Session.STATE_OPEN
        assert deliver(fuzzed.web, genuine).status == 200
        paid = stub.GetSession(SESSION(session_id=session_id), timeout=TIMEOUT).session
        assert paid.state == session_pb2.Session.STATE_COMPLETED


async def test_signed_nonsense(fuzzed: ServiceProcess) -> None:
    """A signed body that is no event is refused as unreadable or has no effect, and is no fault."""
    fuzzer = Fuzzer(SEED)
    event = signed(payment_event("cs_00000000000000000000000000")).body
    statuses = Counter[int]()
    async with aiohttp.ClientSession() as client:

        async def send() -> None:
            text = fuzzer.damaged(event).decode("utf-8", "replace")
            headers, body = signed(text)
            url = f"http://{fuzzed.web}{PATH}"
            async with client.post(url, data=body, headers=headers) as answer:
                statuses[answer.status] += 1

        await at_once(send, WEBHOOKS)
    sys.stdout.write(f"{statuses}\n")
    assert set(statuses) <= {200, 400}
    assert [line for line in fuzzed.log() if line["level"] == "error"] == []
