"""What the doctor says of the addresses."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from service.config import ListenAddress
from service.doctor import addresses
from service.doctor.findings import Finding, Level
from tests.doctor.provider import Words, answering
from tests.doctor.reports import report
from tests.test_standalone import free_port

LIVE = Words(body=b'{"status":"live"}', now=0)


def test_free_addresses_are_fine(tmp_path: Path) -> None:
    """Before the first start nobody listens, and that is as it should be."""
    grpc_address, web_address = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    found = report(tmp_path, CHECKOUT_GRPC_ADDRESS=grpc_address, CHECKOUT_WEB_ADDRESS=web_address)
    assert found["gRPC address"] == Finding(Level.OK, "gRPC address", f"{grpc_address} is free")
    assert found["web address"] == Finding(Level.OK, "web address", f"{web_address} is free")


@pytest.mark.parametrize(
    ("name", "subject"),
    [("CHECKOUT_GRPC_ADDRESS", "gRPC address"), ("CHECKOUT_WEB_ADDRESS", "web address")],
)
def test_strangers_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, subject: str
) -> None:
    """An address that something else holds would keep the service from starting."""
    monkeypatch.setattr(addresses, "GRPC_PATIENCE", 0.3)
    monkeypatch.setattr(addresses, "HTTP_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        finding = report(tmp_path, **{name: address})[subject]
    assert finding.level is Level.FAIL
    assert finding.text.startswith(f"cannot listen on {address}: something else listens there")


def test_address_of_another_machine_is_told(tmp_path: Path) -> None:
    """Nobody can listen on an address that is not his."""
    finding = report(tmp_path, CHECKOUT_WEB_ADDRESS="192.0.2.1:8080")["web address"]
    assert "not an address of this machine" in finding.text


def test_service_that_does_not_serve_is_told(tmp_path: Path) -> None:
    """Our own service out of order is told, with where it says why."""
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    servicer.set(addresses.SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        finding = report(tmp_path, CHECKOUT_GRPC_ADDRESS=f"127.0.0.1:{port}")["gRPC address"]
    finally:
        server.stop(None).wait()
    assert finding.level is Level.FAIL
    assert f"answers NOT_SERVING at 127.0.0.1:{port}; GET /readyz" in finding.text


def test_public_url_that_leads_to_us_is_fine() -> None:
    """The probe answers through the public URL."""
    with answering(LIVE) as (url, seen):
        finding = asyncio.run(addresses.check_public_url(f"{url}/pay", ListenAddress("::1", 1)))
    assert finding.level is Level.OK
    assert seen == ["GET /pay/livez None"]


def test_public_url_that_leads_elsewhere_is_told() -> None:
    """Another server behind the URL is told while ours runs, and cannot be judged before."""
    with (
        answering(LIVE) as (ours, _),
        answering(Words(status=404, now=time.time())) as (elsewhere, _),
    ):
        running = ListenAddress("127.0.0.1", int(ours.rpartition(":")[2]))
        wrong = asyncio.run(addresses.check_public_url(elsewhere, running))
    early = asyncio.run(addresses.check_public_url(elsewhere, running))
    assert wrong.level is Level.FAIL
    assert "correct web.public_url" in wrong.text
    assert early.level is Level.WARN
