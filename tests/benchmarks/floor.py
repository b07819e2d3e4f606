"""The least any server of this contract can do: the yardsticks the service is measured by."""

import asyncio
import sqlite3
import sys
import threading
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import aiohttp
import grpc.aio
import msgspec
import protovalidate
import uvloop

from checkout.v1 import checkout_service_pb2 as pb

_SCHEMA = "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, intent BLOB, answer BLOB)"
_INTENT = "INSERT INTO sessions (session_id, intent) VALUES (?, ?)"
_RESULT = "UPDATE sessions SET answer = ? WHERE session_id = ?"

Context = grpc.aio.ServicerContext[Any, Any]
Job = tuple[str, tuple[object, ...], "asyncio.Future[None]"]


class GroupCommit:
    """Runs statements on one thread, each in its savepoint, and commits what has gathered at once."""

    def __init__(self, path: str, schema: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", schema):
            self._connection.execute(statement)
        threading.Thread(target=self._work, daemon=True).start()

    async def run(self, statement: str, row: tuple[object, ...]) -> None:
        """Return once the statement is on disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._jobs.put((statement, row, done))
        await done

    def _work(self) -> None:
        execute = self._connection.execute
        while True:
            jobs = [self._jobs.get()]
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
            execute("BEGIN IMMEDIATE")
            for statement, row, _ in jobs:
                execute("SAVEPOINT unit")
                execute(statement, row)
                execute("RELEASE unit")
            execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, jobs)


def _settle(jobs: list[Job]) -> None:
    for _, _, done in jobs:
        done.set_result(None)


class Floor:
    """Answers one stored session, and creates with two commits around one call of the provider."""

    def __init__(self, *, stored: pb.GetSessionResponse, store: GroupCommit, provider: str) -> None:
        self._stored = stored
        self._store = store
        self._url = f"{provider}/checkouts"
        self._client = aiohttp.ClientSession()
        self._validator = protovalidate.Validator()
        self._numbers = count(1)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve the two calls that are measured."""
        make = grpc.unary_unary_rpc_method_handler
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "GetSession": make(
                self.get,
                pb.GetSessionRequest.FromString,
                pb.GetSessionResponse.SerializeToString,
            ),
            "CreateSession": make(
                self.create,
                pb.CreateSessionRequest.FromString,
                pb.CreateSessionResponse.SerializeToString,
            ),
        }
        handler = grpc.method_handlers_generic_handler("checkout.v1.CheckoutService", methods)
        server.add_generic_rpc_handlers((handler,))

    async def get(self, request: pb.GetSessionRequest, context: Context) -> pb.GetSessionResponse:
        """Answer the one session there is."""
        return self._stored

    async def create(
        self, request: pb.CreateSessionRequest, context: Context
    ) -> pb.CreateSessionResponse:
        """Keep the intent, call the provider, keep its answer."""
        if self._validator.collect_violations(request):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong")
        session_id = f"cs_{next(self._numbers):026}"
        await self._store.run(_INTENT, (session_id, request.SerializeToString()))
        raw = await self._send(request, session_id)
        await self._store.run(_RESULT, (raw, session_id))
        answer = pb.CreateSessionResponse(session=self._stored.session)
        answer.session.session_id = session_id
        answer.session.checkout_url = msgspec.json.decode(raw)["checkout_url"]
        return answer

    async def _send(self, request: pb.CreateSessionRequest, session_id: str) -> bytes:
        lines = request.cart.line_items
        body = {
            "product_cart": [
                {"product_id": line.product_id, "quantity": line.quantity} for line in lines
            ],
            "customer": {"email": request.customer.email},
            "return_url": request.success_url,
            "metadata": {**request.metadata, "checkout_session_id": session_id},
        }
        headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}
        data = msgspec.json.encode(body)
        async with self._client.post(self._url, data=data, headers=headers) as response:
            return await response.read()


async def main(stored: bytes, store: str, provider: str) -> None:
    """Serve on a free port until the process is ended."""
    server = grpc.aio.server()
    floor = Floor(
        stored=pb.GetSessionResponse.FromString(stored),
        store=GroupCommit(store, _SCHEMA),
        provider=provider,
    )
    floor.add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    session, database, url = sys.argv[1:]
    uvloop.run(main(Path(session).read_bytes(), database, url))
