"""A provider of few words: one status, one body, a clock that may be wrong."""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec import Struct

CERTIFICATE = Path(__file__).parent / "self_signed.pem"
"""Of nobody, for 127.0.0.1, with its key: made for these tests, and valid for a hundred years."""


class Words(Struct, frozen=True, kw_only=True):
    """What it answers every request with; `ahead` are the seconds its clock runs before ours."""

    status: int = 200
    body: bytes = b'{"items":[]}'
    ahead: float = 0
    now: float


@contextmanager
def answering(words: Words, *, encrypted: bool = False) -> Iterator[tuple[str, Sequence[str]]]:
    """Run it, and yield its URL and the requests it has seen."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.command} {self.path} {self.headers['Authorization']}")
            self.send_response_only(words.status)
            self.send_header("Date", formatdate(words.now + words.ahead, usegmt=True))
            self.send_header("Content-Length", str(len(words.body)))
            self.end_headers()
            self.wfile.write(words.body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if encrypted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http{'s' if encrypted else ''}://127.0.0.1:{server.server_port}", seen
        server.shutdown()
