"""A proxy in front of the emulators, which passes requests on, or fails as it is told: real sockets on both sides."""

from __future__ import annotations

import enum
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.e2e.wire.ports import kept
from tests.e2e.wire.provider import resets

PATIENCE = 20.0


class Break(enum.Enum):
    """When a connection is broken off whose request nobody reads."""

    AT_ONCE = "AT_ONCE"
    IN_THE_MIDDLE = "IN_THE_MIDDLE"


class Asked(NamedTuple):
    """One request of the service."""

    method: str
    path: str
    body: bytes


class Told(NamedTuple):
    """One answer of an emulator."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever an emulator answers
        """The answer's body."""
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    """One request of the service, on a connection of its own."""

    server: Server
    asked: Asked

    def handle(self) -> None:
        """Read the request, unless connections are broken off before that."""
        proxy = self.server.proxy
        if proxy.breaks is None:
            super().handle()
            return
        if proxy.breaks is Break.IN_THE_MIDDLE:
            self.connection.recv(1, socket.MSG_PEEK)
        proxy.broken += 1
        resets(self)

    def serve(self) -> None:
        """Note the request, then fail or pass it on."""
        length = int(self.headers.get("Content-Length", 0))
        self.asked = Asked(self.command, self.path, self.rfile.read(length))
        (self.server.proxy.chosen(self.asked) or Handler.passes)(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the library's names

    def passes(self) -> None:
        """Answer what the emulator does."""
        told = self.ask()
        self.reply(told.status, told.body)

    def ask(self) -> Told:
        """Let the emulator do what was asked for."""
        connection = http.client.HTTPConnection(self.server.proxy.behind, timeout=PATIENCE)
        try:
            connection.request(self.command, self.path, self.asked.body, dict(self.headers))
            answer = connection.getresponse()
            return Told(answer.status, answer.read())
        finally:
            connection.close()

    def reply(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
        length: int | None = None,
    ) -> None:
        """Answer, of a truthful length unless another is given."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


Respond = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """A server that keeps quiet when a connection it was told to tear down breaks."""

    daemon_threads = True
    request_queue_size = 128
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class FaultProxy:
    """What was asked, and what is done instead of passing it on until a test says otherwise."""

    def __init__(self) -> None:
        self.behind = ""
        self.seen: list[Asked] = []
        self.broken = 0
        self.breaks: Break | None = None
        self._server, self._thread = self._started(0)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.released = threading.Event()
        self._faulty = re.compile("(?!)")
        self._fault: Respond | None = None

    def reset(self) -> None:
        """Pass everything on, and forget what was asked."""
        self.heal()
        self.seen.clear()
        self.broken = 0
        self.released = threading.Event()

    def fail(self, faulty: str, fault: Respond) -> None:
        """Fail for requests that match, as "POST /checkouts", and pass the others on."""
        self._faulty, self._fault = re.compile(faulty), fault

    def heal(self) -> None:
        """Fail no more."""
        self.released.set()
        self.breaks = None
        self._fault = None

    def chosen(self, asked: Asked) -> Respond | None:
        """Note a request and return what to do instead of passing it on."""
        self.seen.append(asked)
        is_faulty = self._faulty.fullmatch(f"{asked.method} {asked.path}")
        return self._fault if is_faulty else None

    def asked_for(self, matching: str) -> list[Asked]:
        """Return the requests that match, as "POST /checkouts"."""
        return [a for a in self.seen if re.fullmatch(matching, f"{a.method} {a.path}")]

    def close(self) -> None:
        """Listen no more."""
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Refuse every connection."""
        port = self._server.server_address[1]
        self.close()
        try:
            with kept(port):
                yield
        finally:
            self._server, self._thread = self._started(port)

    def _started(self, port: int) -> tuple[Server, threading.Thread]:
        server = Server(("127.0.0.1", port), Handler)
        server.proxy = self
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        return server, thread


@contextmanager
def fault_proxy() -> Iterator[FaultProxy]:
    """Run a proxy on a free port."""
    proxy = FaultProxy()
    try:
        yield proxy
    finally:
        proxy.close()
