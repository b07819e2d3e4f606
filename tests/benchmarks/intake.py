"""The least that taking a webhook durably can be: an aiohttp handler and one commit to SQLite."""

import asyncio
import sys

import uvloop
from aiohttp import web

from tests.benchmarks.floor import GroupCommit

_SCHEMA = "CREATE TABLE events (event_id TEXT PRIMARY KEY, body BLOB)"
_INSERT = "INSERT INTO events (event_id, body) VALUES (?, ?)"


async def main(database: str) -> None:
    """Serve on a free port until the process is ended."""
    store = GroupCommit(database, _SCHEMA)

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        await store.run(_INSERT, (request.headers["webhook-id"], body))
        return web.json_response({"outcomes": ["applied"]})

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
