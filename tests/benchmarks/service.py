"""The real service as a process of its own, with nothing switched off."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from service.sandbox.registry import EMULATIONS
from tests.benchmarks.answers import API_KEY, SECRET
from tests.benchmarks.provider import OTHERS

_PATIENCE = 60.0
_PAUSE = 0.005


class Service(NamedTuple):
    """A running service, and how long it took from its start to SERVING."""

    pid: int
    address: str
    web: str
    seconds_to_serving: float
    log: Path

    def forget_log(self) -> None:
        """Empty the log, which long runs would fill the disk with."""
        os.truncate(self.log, 0)


@contextmanager
def service(
    folder: Path, provider: str, *, every: bool = False, url: str = "", workers: int = 1
) -> Iterator[Service]:
    """Run the service on free ports with its log in a folder, and its store too unless a URL is given.

    It has an account at one provider, or at all.
    """
    address, web = (f"127.0.0.1:{free_port()}" for _ in range(2))
    settings = {
        "CHECKOUT_GRPC_ADDRESS": address,
        "CHECKOUT_WEB_ADDRESS": web,
        "CHECKOUT_STORE_URL": url or f"sqlite:///{folder}/checkout.db",
        "CHECKOUT_LOG_FORMAT": "json",
        "CHECKOUT_WORKERS": str(workers),
        **_account("dodo", provider, webhook_secrets=SECRET),
    }
    for name in OTHERS if every else ():
        settings |= _account(name, f"{provider}/{name}", **EMULATIONS[name].own_settings)
    inherited = {name: text for name, text in os.environ.items() if "CHECKOUT_" not in name}
    program = [str(Path(sys.executable).parent / "checkout"), "serve"]
    log = folder / "service.log"
    with log.open("ab") as stream:
        started = time.perf_counter()
        process = subprocess.Popen(program, cwd=folder, env=inherited | settings, stderr=stream)
    try:
        wait_until_serving(address, process)
        while workers > 1 and b"service.started" not in log.read_bytes():
            time.sleep(_PAUSE)
        yield Service(process.pid, address, web, time.perf_counter() - started, log)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _account(provider: str, base_url: str, **own: str) -> dict[str, str]:
    prefix = f"CHECKOUT_PROVIDERS__{provider.upper()}__DEFAULT__"
    values = {"api_key": API_KEY, "base_url": base_url, **own}
    return {f"{prefix}{name.upper()}": value for name, value in values.items()}


def wait_until_serving(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Return when health answers SERVING."""
    host, _, port = address.rpartition(":")
    end = time.monotonic() + _PATIENCE
    # A channel that was refused once would wait long before it tries again.
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection((host, int(port))):
            break
        time.sleep(_PAUSE)
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        while check(HealthCheckRequest(), timeout=_PATIENCE).status != HealthCheckResponse.SERVING:
            assert time.monotonic() < end, "the service does not serve"
            time.sleep(_PAUSE)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
