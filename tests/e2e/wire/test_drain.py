"""Stopping a busy service: what was taken is finished and stored, the rest is told to go elsewhere."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import grpc.aio
import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import decoded, refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.health import NOT_SERVING, SERVING, check, watch
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id
from tests.e2e.wire.webhooks import get

pytestmark = pytest.mark.slow

WORKERS = 32
ANSWERS_BEFORE_THE_SIGNAL = 200
DETAILS = "grpc-status-details-bin"


class Load:
    """Callers that create sessions one after the other, each until the service turns it away."""

    def __init__(self, service: ServiceProcess) -> None:
        self._service = service
        self.opened: list[str] = []
        self.refusals: list[tuple[grpc.StatusCode, str]] = []
        self.is_underway = asyncio.Event()

    async def run(self) -> None:
        """Call over a few channels until every caller was turned away."""
        channels = [self._service.aio_channel() for _ in range(4)]
        try:
            async with asyncio.TaskGroup() as callers:
                for number in range(WORKERS):
                    callers.create_task(self._call(channels[number % len(channels)]))
        finally:
            for channel in channels:
                await channel.close()

    async def _call(self, channel: grpc.aio.Channel) -> None:
        stub = CheckoutServiceStub(channel)
        try:
            while True:
                request = create_request(request_id=fresh_id())
                answer = await stub.CreateSession(request, timeout=TIMEOUT)
                self.opened.append(answer.session.session_id)
                if len(self.opened) == ANSWERS_BEFORE_THE_SIGNAL:
                    self.is_underway.set()
        except grpc.aio.AioRpcError as error:
            status = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
            reason = decoded(status).get("ErrorInfo", {}).get("reason", error.details())
            self.refusals.append((error.code(), str(reason)))


def states(folder: Path) -> dict[str, str]:
    """Read the state of every stored session."""
    with closing(sqlite3.connect(folder / "checkout.db")) as database:
        return dict(database.execute("SELECT session_id, state FROM sessions").fetchall())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_under_load(tmp_path: Path, number: signal.Signals) -> None:
    """Every call that was taken is answered and stored, and no other left anything behind.

    gRPC for Python cannot tell its clients to go away, so a call that reaches the port as it closes is cut off
    instead of told that the server stops.
    """
    with start(tmp_path) as service:
        load, seen = Load(service), list[int]()
        watching = asyncio.create_task(watch(service, seen))
        loading = asyncio.create_task(load.run())
        await load.is_underway.wait()
        service.send(number)
        status = await asyncio.to_thread(service.wait)
        await loading
        await watching
    assert status == 0
    told = (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
    assert told in load.refusals
    cut_off = {code for code, reason in load.refusals if (code, reason) != told}
    assert cut_off <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    assert states(tmp_path) == dict.fromkeys(load.opened, "OPEN")
    assert seen == [SERVING, NOT_SERVING]
    lines = [line["event"] for line in service.log() if line["event"] != "call.finished"]
    assert lines[-1] == "service.stopped"


def test_a_stop_waits_for_the_provider(provider: Provider, tmp_path: Path) -> None:
    """A call at the provider is finished, answered and stored, while new ones are turned away."""
    provider.respond = provider.hangs
    settings = account(provider.url)
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
        stub = CheckoutServiceStub(channel)
        call = stub.CreateSession.future(create_request(), timeout=TIMEOUT)
        left = stub.CreateSession.future(create_request(), timeout=TIMEOUT)
        provider.wait_for_request()
        provider.wait_for_request()
        left.cancel()
        service.send(signal.SIGTERM)
        service.wait_for_log("service.stopping")
        refusal = refused(lambda: stub.CreateSession(create_request(), timeout=TIMEOUT))
        health = check(channel)
        ready = get(service.web, "/readyz")
        provider.release()
        session = call.result().session
        assert service.wait() == 0
    assert (refusal.code, refusal.info["reason"]) == (
        grpc.StatusCode.UNAVAILABLE,
        "SHUTTING_DOWN",
    )
    assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
    assert health == NOT_SERVING
    assert (ready.status, ready.body["reason"]) == (503, "stopping")
    stored = states(tmp_path)
    assert (stored.pop(session.session_id), list(stored.values())) == ("OPEN", ["OPEN"])


def test_a_stop_gives_up_in_time(provider: Provider, tmp_path: Path) -> None:
    """A provider that never answers does not keep the service from stopping, and the session's end is on record."""
    provider.respond = provider.hangs
    settings = {**account(provider.url), "CHECKOUT_DRAIN_TIMEOUT": "200ms"}
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
        call = CheckoutServiceStub(channel).CreateSession.future(create_request(), timeout=TIMEOUT)
        provider.wait_for_request()
        assert service.stop() == 0
        assert refused(call.result).code is not grpc.StatusCode.OK
    assert service.log("service.drain_timed_out")
    assert list(states(tmp_path).values()) == ["FAILED"]
