"""A proxy between the service and PostgreSQL that reads along, and fails as it is told: real sockets on both sides."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

from tests.e2e.wire.ports import kept

PATIENCE = 20.0
T = TypeVar("T")


class Cut(enum.Enum):
    """Where the connection breaks on which a statement is run."""

    BEFORE = "before the statement reaches the database"
    AFTER = "after the database has committed it, before its answer"


class Trap(NamedTuple):
    """What breaks the next connection that runs a statement with some words in it."""

    words: str
    cut: Cut


class Link:
    """One connection of the service, and the one to the database that belongs to it."""

    def __init__(
        self, proxy: DatabaseProxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._statements: dict[bytes, str] = {}
        self._bound = ""
        self._is_doomed = False

    async def ask(self, said: asyncio.StreamReader) -> None:
        """Pass on what the service says, up to a trap."""
        self._server.write(await _greeting(said))
        while True:
            kind, message = await _message(said)
            self._learn(kind, message[5:])
            if kind == b"E" and (trap := self._proxy.sprung(self._bound)):
                if trap.cut is Cut.BEFORE:
                    self.reset()
                    return
                self._is_doomed = True
            self._server.write(message)
            await self._server.drain()

    async def answer(self, said: asyncio.StreamReader) -> None:
        """Pass on what the database says, when it may."""
        while True:
            kind, message = await _message(said)
            if self._is_doomed:
                if kind == b"Z":
                    self.reset()
                    return
                continue
            await self._proxy.pause(is_last=kind == b"Z")
            self._client.write(message)
            await self._client.drain()

    def reset(self) -> None:
        """Tear both connections down."""
        for writer in (self._client, self._server):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            writer.transport.abort()

    def _learn(self, kind: bytes, body: bytes) -> None:
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._statements[name] = text.decode()
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            self._bound = self._statements[name]


async def _greeting(said: asyncio.StreamReader) -> bytes:
    length = await said.readexactly(4)
    return length + await said.readexactly(int.from_bytes(length) - 4)


async def _message(said: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await said.readexactly(5)
    return head[:1], head + await said.readexactly(int.from_bytes(head[1:]) - 4)


class DatabaseProxy:
    """Passes everything on until a test says otherwise."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._trap: Trap | None = None
        self._sprung = threading.Event()
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._delay = 0.0
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def url(self, database: str) -> str:
        """Return the store URL of a database behind the proxy."""
        # Encrypted, its messages could not be told from each other.
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def cut(self, words: str, cut: Cut) -> None:
        """Break the next connection on which a statement with some words is run."""
        self._sprung.clear()
        self._trap = Trap(words, cut)

    def wait_until_cut(self) -> None:
        """Wait until that has happened."""
        assert self._sprung.wait(PATIENCE), "no such statement came"

    def sprung(self, statement: str) -> Trap | None:
        """Return the trap that a statement goes into, for once."""
        trap = self._trap
        if trap is None or trap.words not in statement:
            return None
        self._trap = None
        self._sprung.set()
        return trap

    async def pause(self, *, is_last: bool) -> None:
        """Hold a part of an answer back as long as the test wants."""
        if self._delay and is_last:
            await asyncio.sleep(self._delay)
        await self._flows.wait()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let no answer through, and break no connection."""
        self._loop.call_soon_threadsafe(self._flows.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flows.set)

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Hold every answer back for some seconds."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def away(self) -> Iterator[None]:
        """Break every connection and refuse new ones."""
        self._run(self._leave())
        try:
            with kept(self.port):
                yield
        finally:
            self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", self.port))

    def close(self) -> None:
        """Listen no more."""
        self._run(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _leave(self) -> None:
        self._server.close()
        for link in self._links:
            link.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, said: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answered, server = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            client.transport.abort()
            return
        link = Link(self, client, server)
        self._links.add(link)
        tasks = {asyncio.create_task(link.ask(said)), asyncio.create_task(link.answer(answered))}
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks
        self._links.discard(link)
        for writer in (client, server):
            writer.close()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


@contextmanager
def database_proxy(port: int) -> Iterator[DatabaseProxy]:
    """Run a proxy on a free port."""
    proxy = DatabaseProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
