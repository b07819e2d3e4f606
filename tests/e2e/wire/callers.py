"""Backends that create sessions one after the other, each over a connection of its own."""

import asyncio

import grpc
import grpc.aio

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import decoded
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id

DETAILS = "grpc-status-details-bin"
PATIENCE = 60.0
OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # Channels to one address would share one connection otherwise, and so one worker.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_reconnect_backoff_ms", 500),
)
_PAUSE = 0.1


class Callers:
    """Callers of one service, and what they were answered.

    They end at the first refusal, or repeat what was refused with the same request id until they are told to stop.
    """

    def __init__(self, address: str, *, insist: bool = False, number: int = 8) -> None:
        self.answered: dict[str, str] = {}
        self.refusals: list[tuple[grpc.StatusCode, str]] = []
        self._address = address
        self._insist = insist
        self._number = number
        self._stopped = False

    async def run(self) -> None:
        """Call until all callers have ended."""
        async with asyncio.TaskGroup() as callers:
            for _ in range(self._number):
                callers.create_task(self._call())

    def stop(self) -> None:
        """Begin no further session."""
        self._stopped = True

    async def wait_for(self, more: int) -> None:
        """Return when so many more sessions were created."""
        enough = len(self.answered) + more
        async with asyncio.timeout(PATIENCE):
            while len(self.answered) < enough:
                await asyncio.sleep(0.01)

    async def _call(self) -> None:
        channel = grpc.aio.insecure_channel(self._address, OPTIONS)
        async with channel:
            while not self._stopped:
                request_id = fresh_id()
                while not await self._create(channel, request_id):
                    if not self._insist:
                        return
                    await asyncio.sleep(_PAUSE)

    async def _create(self, channel: grpc.aio.Channel, request_id: str) -> bool:
        try:
            request = create_request(request_id=request_id)
            answer = await CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT)
        except grpc.aio.AioRpcError as error:
            self.refusals.append((error.code(), _reason(error)))
            return False
        self.answered[request_id] = answer.session.session_id
        return True


def _reason(error: grpc.aio.AioRpcError) -> str:
    status = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
    return str(decoded(status).get("ErrorInfo", {}).get("reason", error.details()))
