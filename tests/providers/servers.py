"""Servers that misbehave on purpose, and the clients that meet them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from service.providers.http import ProviderHttp, bearer
from service.providers.secrets import Secret

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Misbehaving:
    """A server that reads one request after another and does with each what it was told."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""
        self.listening: asyncio.Server
        self._behaviours = list(behaviours)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until a behaviour closes it."""
        self.connections += 1
        try:
            while not writer.is_closing():
                self.requests.append(await _request(reader))
                behaviour = self._behaviours.pop(0)
                await behaviour(reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def misbehaving(*behaviours: Behaviour) -> AsyncIterator[Misbehaving]:
    """Run a server that shows one behaviour after another."""
    server = Misbehaving(*behaviours)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.listening = listening
        server.url = f"http://127.0.0.1:{port}"
        yield server


@asynccontextmanager
async def client(url: str, **changes: object) -> AsyncIterator[ProviderHttp]:
    """Yield a client that is patient unless told otherwise."""
    settings: dict[str, object] = {
        "provider": "dodo",
        "account": "default",
        "base_url": url,
        "secret": Secret(value="key-1"),
        "authorize": bearer,
        "chance": lambda: 0.0,
        "observe": lambda *_: None,
        "connect_timeout": timedelta(seconds=20),
        "request_timeout": timedelta(seconds=20),
    }
    http = ProviderHttp(**(settings | changes))  # type: ignore[arg-type]
    yield http
    await http.close()


def answer(
    status: int = 200, body: bytes = b'{"ok":true}', *headers: str, length: int | None = None
) -> Behaviour:
    """Return the behaviour of answering, truthfully unless told another length."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (
            f"HTTP/1.1 {status} Something",
            f"Content-Length: {len(body) if length is None else length}",
            *headers,
        )
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        if length is not None:
            await writer.drain()
            writer.close()

    return behave


def raw(data: bytes) -> Behaviour:
    """Return the behaviour of answering with some bytes and closing."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return behave


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection off without an answer."""
    writer.transport.abort()


async def stay_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Keep the connection open and never answer."""
    await reader.read()


async def talk_for_ever(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a body that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


def once(event: asyncio.Event, then: Behaviour) -> Behaviour:
    """Return the behaviour of waiting for an event first."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await then(reader, writer)

    return behave


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((line[15:] for line in lines if line.startswith(b"content-length:")), b"0")
    return head + await reader.readexactly(int(length))
