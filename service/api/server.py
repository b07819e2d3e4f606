"""Builds the gRPC server: what is served, by which handlers, through which interceptors."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from checkout.sandbox.v1 import sandbox_service_pb2_grpc as sandbox_grpc
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import checkout_service_pb2_grpc as checkout_grpc
from service.api import descriptors
from service.api.interceptors.base import Chain
from service.api.interceptors.errors import Errors
from service.api.interceptors.limits import Limits
from service.api.interceptors.logging import Logging
from service.api.interceptors.metrics import Metrics
from service.api.interceptors.validation import Validation
from service.api.reflection import Reflection
from service.api.servicer import CheckoutServicer
from service.api.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import CollectorRegistry
    from structlog.typing import FilteringBoundLogger

    from service.api.servicer import UseCases
    from service.core.gate import GateLinks

CHECKOUT = "checkout.v1.CheckoutService"
SANDBOX = "checkout.sandbox.v1.SandboxService"
HEALTH = "grpc.health.v1.Health"

MAX_REQUEST_BYTES = 1024 * 1024

# gRPC itself refuses a larger message without any detail, so its limit stands well above ours.
_TRANSPORT_BYTES = 4 * MAX_REQUEST_BYTES

# An answer that was given a moment ago may still be on its way, and for long on a machine that has much to do.
_LAST_WORDS = timedelta(seconds=3)

_OPTIONS = (
    ("grpc.max_receive_message_length", _TRANSPORT_BYTES),
    # Load balancers drop silent connections, most after a minute or more.
    ("grpc.keepalive_time_ms", 45_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may do the same without being sent away for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


class GrpcServer:
    """A server that is built and bound, and serves between `start` and `stop`."""

    def __init__(
        self,
        *,
        server: grpc.aio.Server,
        port: int,
        limits: Limits,
        watching: Watching,
        health_servicer: health.aio.HealthServicer,
        services: Iterable[str],
    ) -> None:
        self.port = port
        self._server = server
        self._limits = limits
        self._watching = watching
        self._health = health_servicer
        self._services = tuple(services)

    async def start(self) -> None:
        """Take calls; health stays NOT_SERVING until `set_serving` says otherwise."""
        await self.set_serving(is_serving=False)
        await self._server.start()

    async def set_serving(self, *, is_serving: bool) -> None:
        """Set what health answers for the whole server and for each of our services."""
        answer = health_pb2.HealthCheckResponse
        status = answer.SERVING if is_serving else answer.NOT_SERVING
        for name in ("", *self._services):
            await self._health.set(name, status)

    async def set_account_serving(self, name: str, is_serving: bool) -> None:  # noqa: FBT001 - health's own word
        """Set what health answers for a name that is no service: a provider's account."""
        answer = health_pb2.HealthCheckResponse
        await self._health.set(name, answer.SERVING if is_serving else answer.NOT_SERVING)

    async def turn_away(self) -> None:
        """Say on health that the end has begun, and answer new calls and open streams with SHUTTING_DOWN."""
        await self._health.enter_graceful_shutdown()
        self._limits.turn_away()
        self._watching.close()

    async def stop(self, grace: timedelta) -> None:
        """Turn new calls away, wait up to `grace` for those running, and close.

        The port stays open until then: a caller is told SHUTTING_DOWN instead of nothing. Open
        watches of health would hold gRPC's own grace to its end, so that is short.
        """
        await self.turn_away()
        await self._limits.drain(grace)
        await self._server.stop(_LAST_WORDS.total_seconds())


def build(
    *,
    address: str,
    share_port: bool = False,
    use_cases: UseCases,
    logger: FilteringBoundLogger,
    registry: CollectorRegistry,
    providers: Iterable[str],
    new_log_id: Callable[[], str],
    links: GateLinks | None = None,
    sandbox: sandbox_grpc.SandboxServiceServicer | None = None,
) -> GrpcServer:
    """Return a server bound to `address`; port 0 takes a free one. Needs a running loop.

    `providers` are the configured names. Raises RuntimeError when the address cannot be bound.
    """
    limits = Limits()
    validation = Validation()
    validation.warm_up(
        [pb.CreateSessionRequest(), pb.GetSessionRequest(), pb.ListSessionsRequest()]
    )
    chain = Chain(
        [
            Logging(logger=logger),  # outermost: sees how every call ends
            Metrics(registry=registry, providers=providers),  # counts what the log line says
            Errors(new_log_id=new_log_id),  # everything below may raise
            # Authentication belongs here: who calls is settled before any work is done for them.
            limits,  # a drained server and an unreadable message need no further look
            validation,  # innermost: handlers see valid requests only
        ],
        max_request_bytes=MAX_REQUEST_BYTES,
    )
    # Two processes on one port by accident would share its calls.
    options = (*_OPTIONS, ("grpc.so_reuseport", int(share_port)))
    server = grpc.aio.server(interceptors=(chain,), options=options)
    watching = Watching(watch=use_cases.watch_sessions, links=links, registry=registry)
    checkout_grpc.add_CheckoutServiceServicer_to_server(
        CheckoutServicer(use_cases=use_cases, links=links, watching=watching), server
    )
    ours = [CHECKOUT]
    if sandbox is not None:
        sandbox_grpc.add_SandboxServiceServicer_to_server(sandbox, server)
        ours.append(SANDBOX)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    Reflection(load=descriptors.load, services=[*ours, HEALTH]).add_to(server)
    return GrpcServer(
        server=server,
        port=server.add_insecure_port(address),
        limits=limits,
        watching=watching,
        health_servicer=health_servicer,
        services=ours,
    )
