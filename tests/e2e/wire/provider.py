"""A provider that misbehaves as it is told: a real HTTP server that speaks for Dodo Payments."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.e2e.process import BIN

SERVE_ACCOUNTS = (str(BIN / "checkout"), "serve")
API_KEY = "key-of-the-account"
WEBHOOK_SECRET = "whsec_c2VjcmV0LW9mLXRoZS1hY2NvdW50LTAwMDAwMDAwMDA="
PATIENCE = 20.0

Respond = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One connection from the service."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        """Note the request, then do what the test has chosen."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.provider.note(json.loads(body), self.headers.get("Authorization", ""))
        self.server.provider.respond(self)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class Provider:
    """What came in, and what is answered until a test says otherwise."""

    def __init__(self, server: Server) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.bodies: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self.respond: Respond = self.opens
        self._numbers = count(1)
        self._arrived = threading.Semaphore(0)
        self._released = threading.Event()

    def note(self, body: dict[str, Any], authorization: str) -> None:
        """Keep a request."""
        self.bodies.append(body)
        self.authorizations.append(authorization)
        self._arrived.release()

    def reset(self) -> None:
        """Forget what came in, and be well."""
        self.release()
        self.bodies.clear()
        self.authorizations.clear()
        self._arrived = threading.Semaphore(0)
        self._released = threading.Event()
        self.respond = self.opens

    def wait_for_request(self) -> None:
        """Wait until the next request has come in whole."""
        assert self._arrived.acquire(timeout=PATIENCE), "no request came"

    def release(self) -> None:
        """Let requests go on that `hangs` holds."""
        self._released.set()

    def opens(self, handler: Handler) -> None:
        """Answer as Dodo Payments does when all is well."""
        number = next(self._numbers)
        answer = {"session_id": f"cks_{number}", "checkout_url": f"{self.url}/session/cks_{number}"}
        handler.reply(200, json.dumps(answer).encode())

    def hangs(self, handler: Handler) -> None:
        """Answer well, but not before it is released."""
        if self._released.wait(PATIENCE):
            self.opens(handler)


def answers(status: int, body: object, **headers: str) -> Respond:
    """Make a provider that answers JSON, or text as it is."""
    raw = body if isinstance(body, str) else json.dumps(body)
    return lambda handler: handler.reply(status, raw.encode(), **headers)


def refuses(status: int, code: str, message: str, **headers: str) -> Respond:
    """Make a provider that refuses in the shape of Dodo Payments."""
    return answers(status, {"code": code, "message": message}, **headers)


def resets(handler: BaseHTTPRequestHandler) -> None:
    """Tear the connection down after the request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


class Server(ThreadingHTTPServer):
    """A server that keeps quiet when a connection it was told to tear down breaks."""

    daemon_threads = True
    provider: Provider

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on a free port."""
    server = Server(("127.0.0.1", 0), Handler)
    server.provider = provider = Provider(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        provider.release()
        server.shutdown()
        thread.join()
        server.server_close()


def account(base_url: str, name: str = "default", **others: str) -> dict[str, str]:
    """Return the environment that configures an account at a provider."""
    prefix = f"CHECKOUT_PROVIDERS__DODO__{name.upper()}__"
    settings = {"base_url": base_url, "api_key": API_KEY, "webhook_secrets": WEBHOOK_SECRET}
    return {prefix + key.upper(): value for key, value in {**settings, **others}.items() if value}
