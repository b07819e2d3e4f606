"""The process that calls a server over gRPC."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import grpc.aio
import uvloop

from checkout.v1.checkout_service_pb2 import CreateSessionResponse
from tests.benchmarks.hooks import Hooks
from tests.benchmarks.messages import CREATE, GET, creates, get
from tests.benchmarks.worker import Timing, in_flight

Method = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

_REMEMBERED = 1000
_TIMEOUT = 60.0
_NOBODY = "cs_" + "0" * 26


class Server:
    """A server under load, and some of the sessions it has made."""

    def __init__(self, address: str) -> None:
        channel = grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
        # Without serialisers the messages go as the bytes they are, and cost this process nothing.
        self._create: Method = channel.unary_unary(CREATE)
        self._get: Method = channel.unary_unary(GET)
        self._requests: dict[str, Iterator[bytes]] = {}
        self._session_ids: list[str] = []
        self._unpaid: list[str] = []
        self._hooks = Hooks()

    async def run(self, question: Mapping[str, Any]) -> Timing:
        """Make a number of calls of one kind."""
        number, together = question["number"], question["together"]
        match question["kind"]:
            case "create":
                provider = question.get("provider", "dodo")
                made = self._requests.setdefault(provider, creates(f"bench-{provider}", provider))
                send = self._send_and_remember if "remember" in question else self._send_create
                return await in_flight(islice(made, number), together, send)
            case "webhook":
                # Whoever keeps no sessions is sent as many bytes.
                paid = [
                    self._unpaid.pop() if "pays" in question else _NOBODY for _ in range(number)
                ]
                return await self._hooks.deliver(question["url"], paid, together)
        reads = [get(session_id) for session_id in await self._known(question)]
        return await in_flight(islice(cycle(reads), number), together, self._send_get)

    async def _known(self, question: Mapping[str, Any]) -> Sequence[str]:
        if "ids" in question:
            return _lines(question["ids"])
        if not self._session_ids:
            # The round that warms up asks first.
            await self.run({**question, "kind": "create", "number": _REMEMBERED})
        return self._session_ids

    async def _send_create(self, request: bytes) -> None:
        answer = await self._create(request, timeout=_TIMEOUT)
        if len(self._session_ids) < _REMEMBERED:
            session = CreateSessionResponse.FromString(answer).session
            assert session.checkout_url, "the session has no page"
            self._session_ids.append(session.session_id)

    async def _send_and_remember(self, request: bytes) -> None:
        answer = await self._create(request, timeout=_TIMEOUT)
        self._unpaid.append(CreateSessionResponse.FromString(answer).session.session_id)

    async def _send_get(self, request: bytes) -> None:
        assert await self._get(request, timeout=_TIMEOUT)


def _lines(file: str) -> Sequence[str]:
    return Path(file).read_text("ascii").split()


async def main() -> None:
    """Do what the lines of standard input ask for."""
    servers: dict[str, Server] = {}
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        address = question["address"]
        server = servers.setdefault(address, Server(address))
        timing = await server.run(question)
        sys.stdout.write(json.dumps(timing._asdict()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
