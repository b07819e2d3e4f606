"""Behind a pooler that may change the server's session after each transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.storage.registry import open_store
from tests.storage.postgres.server import Server
from tests.storage.records import changed, event, query, record

# The types of messages as the protocol names them; the end of a step lets a pooler change sessions.
PARSE, BIND, SYNC = b"P", b"B", b"S"
HEADER = 5


class Tap:
    """What clients have sent, by connection: the types of messages in their order."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sent: list[list[bytes]] = []

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a connection on to the server."""
        upstream, server = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.ensure_future(_copy(upstream, writer))
        types: list[bytes] = []
        self.sent.append(types)
        try:
            size = await reader.readexactly(4)
            server.write(size + await reader.readexactly(int.from_bytes(size) - 4))
            while header := await reader.read(1):
                header += await reader.readexactly(HEADER - 1)
                types.append(header[:1])
                server.write(header + await reader.readexactly(int.from_bytes(header[1:]) - 4))
        finally:
            server.close()
            await answers


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[tuple[Tap, int]]:
    """Stand between clients and a server."""
    tap = Tap(port)
    listener = await asyncio.start_server(tap.pass_on, "127.0.0.1", 0)
    async with listener:
        yield tap, listener.sockets[0].getsockname()[1]


async def test_every_statement_is_prepared_in_the_step_that_runs_it(
    url: str, server: Server
) -> None:
    """No step relies on what an earlier one has prepared, nor on any other state of the session."""
    async with tapped(server.port) as (tap, port):
        store = await open_store(
            url.replace(str(server.port), str(port)) + "?pooled=true&sslmode=disable"
        )
        for number in range(3):
            await store.create(record(number))
            await store.save(
                changed(record(number)),
                expected_version=1,
                event=event(number),
                references=("a:1",),
            )
        await store.list_sessions(query())
        await store.ping()
        await store.close()
    steps = [step for types in tap.sent for step in b"".join(types).split(SYNC)]
    assert sum(BIND in step for step in steps) > 8
    assert [step for step in steps if BIND in step and PARSE not in step] == []
    assert [step for step in steps if b"Q" in step] == []
