"""A provider that answers every create at once, in the shape of Dodo Payments."""

import asyncio
import sys
from itertools import count
from typing import cast

import uvloop

_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection; it reads no more of a request than where it ends."""

    def __init__(self, url: str, numbers: "count[int]") -> None:
        self._url = url
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
            self._received = self._received[end:]
            self._answer()

    def _end_of_request(self) -> int:
        head, found, _ = self._received.partition(_END_OF_HEADERS)
        if not found:
            return 0
        lines = head.lower().split(b"\r\n")
        length = next((line for line in lines if line.startswith(_LENGTH)), b":0")
        return len(head) + len(found) + int(length.partition(b":")[2])

    def _answer(self) -> None:
        name = f"cks_{next(self._numbers):020}"
        body = f'{{"session_id":"{name}","checkout_url":"{self._url}/session/{name}"}}'
        answer = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"X-Request-Id: {name}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        assert self._transport is not None
        self._transport.write(answer.encode())


async def main() -> None:
    """Serve on a free port until the process is ended."""
    numbers, url = count(1), ""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(url, numbers), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    url = f"http://{host}:{port}"
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
