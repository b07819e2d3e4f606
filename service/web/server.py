"""Puts the HTTP port together and runs it."""

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry

from service.web.answers import SANDBOX, access_log, add_headers, answer_errors
from service.web.listening import listener
from service.web.probes import Metrics, Readiness, Ready, livez
from service.web.webhooks import MAX_BODY_BYTES, PATH, Receive, WebhookEndpoint

if TYPE_CHECKING:
    from service.web.gate import Pass


def build_application(
    *,
    receive: Receive,
    ready: Ready,
    registry: CollectorRegistry,
    let_pass: "Pass | None" = None,
    sandbox: web.Application | None = None,
) -> web.Application:
    """Build everything the HTTP port serves; the gate and the sandbox's pages where there are any."""
    application = web.Application(
        middlewares=[access_log(), answer_errors], client_max_size=MAX_BODY_BYTES
    )
    application.on_response_prepare.append(add_headers)
    webhooks = WebhookEndpoint(receive=receive, registry=registry)
    application.router.add_post(PATH, webhooks.answer)
    application.router.add_get("/livez", livez)
    application.router.add_get("/readyz", Readiness(ready).answer)
    application.router.add_get("/metrics", Metrics(registry).answer)
    if let_pass is not None:
        # Where there is no gate, nobody waits for what renders its pages.
        from service.web import gate  # noqa: PLC0415

        endpoint = gate.GateEndpoint(let_pass=let_pass, registry=registry)
        application.router.add_get(gate.PATH, endpoint.answer)
    if sandbox is not None:
        application.add_subapp(SANDBOX, sandbox)
    return application


class WebServer:
    """Serves one application on one address: bind, then start, then close.

    A socket that is handed in is bound already, and closed with the server.
    """

    def __init__(
        self, *, host: str, port: int, drain: timedelta, taken: socket.socket | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._drain = drain.total_seconds()
        self._socket = taken
        self._runner: web.AppRunner | None = None

    def bind(self) -> int:
        """Take the address and return the port, which port 0 leaves to the system.

        Raises OSError, with the address as its file name, where that cannot be.
        """
        return int(self._listener().getsockname()[1])

    async def start(self, application: web.Application) -> None:
        """Listen and answer."""
        taken = self._listener()
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=self._drain, handle_signals=False
        )
        await self._runner.setup()
        await web.SockSite(self._runner, taken).start()

    async def close(self) -> None:
        """Take no more connections, finish requests in progress, give up those that last too long."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._socket is not None:
            self._socket.close()

    def _listener(self) -> socket.socket:
        if self._socket is None:
            self._socket = listener(self._host, self._port)
        return self._socket
