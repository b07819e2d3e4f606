"""Puts the HTTP port together and runs it."""

from datetime import timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry

from service.web.answers import SANDBOX, add_headers, answer_errors, log_access
from service.web.probes import Metrics, Readiness, Ready, livez
from service.web.webhooks import MAX_BODY_BYTES, PATH, Receive, WebhookEndpoint


def build_application(
    *,
    receive: Receive,
    ready: Ready,
    registry: CollectorRegistry,
    sandbox: web.Application | None = None,
) -> web.Application:
    """Build everything the HTTP port serves; the sandbox's pages are mounted where there are any."""
    application = web.Application(
        middlewares=[log_access, answer_errors], client_max_size=MAX_BODY_BYTES
    )
    application.on_response_prepare.append(add_headers)
    application.router.add_post(PATH, WebhookEndpoint(receive=receive, registry=registry))
    application.router.add_get("/livez", livez)
    application.router.add_get("/readyz", Readiness(ready))
    application.router.add_get("/metrics", Metrics(registry))
    if sandbox is not None:
        application.add_subapp(SANDBOX, sandbox)
    return application


class WebServer:
    """Serves one application on one address."""

    def __init__(
        self, application: web.Application, *, host: str, port: int, drain: timedelta
    ) -> None:
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=drain.total_seconds()
        )
        self._host = host
        self._port = port

    async def start(self) -> None:
        """Listen. Raises OSError, with the address as its file name, where that cannot be."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            address = f"{self._host}:{self._port}"
            raise OSError(error.errno, "the address is in use or not ours", address) from error

    @property
    def port(self) -> int:
        """The port it listens on, which port 0 left to the system."""
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Take no more connections, finish the requests in progress, give up those that last too long."""
        await self._runner.cleanup()
