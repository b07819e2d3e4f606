"""Health as gRPC's own protocol tells it."""

import grpc
import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from tests.e2e.process import ServiceProcess
from tests.e2e.wire.requests import TIMEOUT

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING


def check(channel: grpc.Channel, name: str = "") -> int:
    """Ask for the health of the server or of one of its services."""
    ask: grpc.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse] = (
        channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
    )
    return ask(HealthCheckRequest(service=name), timeout=TIMEOUT).status


async def watch(service: ServiceProcess, seen: list[int]) -> None:
    """Note every change of health until the connection ends."""
    async with service.aio_channel() as channel:
        ask: grpc.aio.UnaryStreamMultiCallable[HealthCheckRequest, HealthCheckResponse] = (
            channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
        )
        try:
            async for answer in ask(HealthCheckRequest()):
                seen.append(answer.status)  # noqa: PERF401 - each is noted when it comes
        except grpc.aio.AioRpcError:
            return
