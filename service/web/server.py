"""Puts the HTTP port together and runs it."""

import socket
from datetime import timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry

from service.web.answers import SANDBOX, add_headers, answer_errors, log_access
from service.web.gate import PATH as GATE_PATH
from service.web.gate import GateEndpoint, Pass
from service.web.probes import Metrics, Readiness, Ready, livez
from service.web.webhooks import MAX_BODY_BYTES, PATH, Receive, WebhookEndpoint


def build_application(
    *,
    receive: Receive,
    ready: Ready,
    registry: CollectorRegistry,
    let_pass: Pass | None = None,
    sandbox: web.Application | None = None,
) -> web.Application:
    """Build everything the HTTP port serves; the gate and the sandbox's pages where there are any."""
    application = web.Application(
        middlewares=[log_access, answer_errors], client_max_size=MAX_BODY_BYTES
    )
    application.on_response_prepare.append(add_headers)
    webhooks = WebhookEndpoint(receive=receive, registry=registry)
    application.router.add_post(PATH, webhooks.answer)
    application.router.add_get("/livez", livez)
    application.router.add_get("/readyz", Readiness(ready).answer)
    application.router.add_get("/metrics", Metrics(registry).answer)
    if let_pass is not None:
        gate = GateEndpoint(let_pass=let_pass, registry=registry)
        application.router.add_get(GATE_PATH, gate.answer)
    if sandbox is not None:
        application.add_subapp(SANDBOX, sandbox)
    return application


class WebServer:
    """Serves one application on one address: bind, then start, then close."""

    def __init__(self, *, host: str, port: int, drain: timedelta) -> None:
        self._host = host
        self._port = port
        self._drain = drain.total_seconds()
        self._socket: socket.socket | None = None
        self._runner: web.AppRunner | None = None

    def bind(self) -> int:
        """Take the address and return the port, which port 0 leaves to the system.

        Raises OSError, with the address as its file name, where that cannot be.
        """
        return int(self._listener().getsockname()[1])

    async def start(self, application: web.Application) -> None:
        """Listen and answer."""
        listener = self._listener()
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=self._drain, handle_signals=False
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """Take no more connections, finish requests in progress, give up those that last too long."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._socket is not None:
            self._socket.close()

    def _listener(self) -> socket.socket:
        if self._socket is None:
            try:
                self._socket = _bound(self._host, self._port)
            except OSError as error:
                host = f"[{self._host}]" if ":" in self._host else self._host
                address = f"{host}:{self._port}"
                raise OSError(error.errno, error.strerror, address) from error
        return self._socket


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart need not wait for the last connections of the one before to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
