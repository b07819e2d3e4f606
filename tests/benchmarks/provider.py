"""A provider that answers every create at once: as Dodo Payments, or below a name as the one so called."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from itertools import count
from typing import cast

import structlog
import uvloop

from tests.benchmarks.answers import Answer, recorded
from tests.benchmarks.messages import TEMPLATES

OTHERS = sorted(TEMPLATES.keys() - {"dodo"})

_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection; it reads no more of a request than where it ends."""

    def __init__(self, url: str, answers: Sequence[Answer], numbers: "count[int]") -> None:
        self._url = url
        self._answers = answers
        self._numbers = numbers
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._received += data
        while (end := self._end_of_request()) and len(self._received) >= end:
            path = self._received.split(b" ", 2)[1].decode()
            self._received = self._received[end:]
            self._answer(path)

    def _end_of_request(self) -> int:
        head, found, _ = self._received.partition(_END_OF_HEADERS)
        if not found:
            return 0
        lines = head.lower().split(b"\r\n")
        length = next((line for line in lines if line.startswith(_LENGTH)), b":0")
        return len(head) + len(found) + int(length.partition(b":")[2])

    def _answer(self, path: str) -> None:
        status, body = self._body(path, next(self._numbers))
        answer = (
            f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
            f"X-Request-Id: {id(body)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        assert self._transport is not None
        self._transport.write(answer.encode())

    def _body(self, path: str, number: int) -> tuple[int, str]:
        for answer in self._answers:
            if (body := answer.to(path, number)) is not None:
                return answer.status, body
        name = f"cks_{number:020}"
        return 200, f'{{"session_id":"{name}","checkout_url":"{self._url}/session/{name}"}}'


async def main() -> None:
    """Serve on a free port until the process is ended."""
    numbers, url, answers = count(1), "", list[Answer]()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(url, answers, numbers), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    url = f"http://{host}:{port}"
    # The first line of standard output is the address.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for provider in OTHERS:
        answers += await recorded(provider, url)
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
