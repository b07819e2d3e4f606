"""Checks the addresses: free to listen on, or held by our own service, and reached from outside."""

import asyncio
import errno
import socket

import aiohttp
import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from service.config import ListenAddress
from service.doctor.findings import Finding, broken, doubtful, fine

SERVICE = "checkout.v1.CheckoutService"
GRPC_PATIENCE = 2.0
HTTP_PATIENCE = 1.5
_MENDS = {
    errno.EADDRINUSE: "something else listens there; stop it, or choose another address",
    errno.EADDRNOTAVAIL: "it is not an address of this machine; choose another",
    errno.EACCES: "this user may not listen there; choose a port above 1023",
}


async def serving_status(address: ListenAddress) -> str | None:
    """Return the health of our service at an address, None where it is not our service."""
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(str(address.reachable), options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            answer = await check(HealthCheckRequest(service=SERVICE), timeout=GRPC_PATIENCE)
        except grpc.aio.AioRpcError:
            return None
    return HealthCheckResponse.ServingStatus.Name(answer.status)


async def check_grpc(address: ListenAddress, status: str | None) -> Finding:
    """Judge the gRPC address by the health found there."""
    subject = "gRPC address"
    if status == "SERVING":
        return fine(subject, f"our service answers SERVING at {address.reachable}")
    if status is not None:
        mend = "GET /readyz at the web address says why"
        return broken(subject, f"our service answers {status} at {address.reachable}; {mend}")
    return await asyncio.to_thread(_free, subject, address)


async def check_web(address: ListenAddress) -> Finding:
    """Judge the web address by the probe found there."""
    subject = "web address"
    if address.port and await _is_ours(f"http://{address.reachable}"):
        return fine(subject, f"our service answers at {address.reachable}")
    return await asyncio.to_thread(_free, subject, address)


async def check_public_url(url: str, address: ListenAddress) -> Finding:
    """Judge whether the public URL leads to our service."""
    subject = "public URL"
    if await _is_ours(url):
        return fine(subject, f"{url} leads to our service")
    if not await _is_ours(f"http://{address.reachable}"):
        return doubtful(subject, f"{url} cannot be judged while the service does not run")
    return broken(
        subject,
        f"GET {url}/livez is not answered by our service; mend DNS, certificate or proxy, "
        "or correct web.public_url (CHECKOUT_WEB_PUBLIC_URL)",
    )


async def _is_ours(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=HTTP_PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url}/livez", allow_redirects=False) as response,
        ):
            return response.status == 200 and b'"live"' in await response.content.read(1024)
    except (aiohttp.ClientError, OSError):
        return False


def _free(subject: str, address: ListenAddress) -> Finding:
    if not address.port:
        return fine(subject, "a free port is chosen at each start")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as error:
        mend = _MENDS.get(error.errno or 0, f"{error.strerror}; choose another")
        return broken(subject, f"cannot listen on {address}: {mend}")
    return fine(subject, f"{address} is free")
