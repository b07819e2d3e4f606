"""The process that calls a server over gRPC."""

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import cycle, islice

import grpc.aio
import uvloop

from checkout.v1.checkout_service_pb2 import CreateSessionResponse
from tests.benchmarks.messages import CREATE, GET, creates, get
from tests.benchmarks.worker import Timing, in_flight

Method = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

_REMEMBERED = 1000
_TIMEOUT = 60.0


class Server:
    """A server under load, and some of the sessions it has made."""

    def __init__(self, address: str) -> None:
        channel = grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
        # Without serialisers the messages go as the bytes they are, and cost this process nothing.
        self._create: Method = channel.unary_unary(CREATE)
        self._get: Method = channel.unary_unary(GET)
        self._requests: dict[str, Iterator[bytes]] = {}
        self._session_ids: list[str] = []

    async def run(self, kind: str, provider: str, number: int, together: int) -> Timing:
        """Make a number of calls of one kind."""
        if kind == "create":
            requests = self._requests.setdefault(provider, creates(f"bench-{provider}", provider))
            return await in_flight(islice(requests, number), together, self._send_create)
        reads = [get(session_id) for session_id in self._session_ids or ["cs_of_the_floor"]]
        return await in_flight(islice(cycle(reads), number), together, self._send_get)

    async def _send_create(self, request: bytes) -> None:
        answer = await self._create(request, timeout=_TIMEOUT)
        if len(self._session_ids) < _REMEMBERED:
            session = CreateSessionResponse.FromString(answer).session
            assert session.checkout_url, "the session has no page"
            self._session_ids.append(session.session_id)

    async def _send_get(self, request: bytes) -> None:
        assert await self._get(request, timeout=_TIMEOUT)


async def main() -> None:
    """Do what the lines of standard input ask for."""
    servers: dict[str, Server] = {}
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        address = question["address"]
        server = servers.setdefault(address, Server(address))
        timing = await server.run(
            question["kind"],
            question.get("provider", "dodo"),
            question["number"],
            question["together"],
        )
        sys.stdout.write(json.dumps(timing._asdict()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
