"""Several workers as one service: one address, one set of figures, one end, and no death that is noticed for long."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import grpc
import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.web.listening import listener
from tests.architecture.source import ROOT
from tests.e2e.process import LogLine, ServiceProcess, start
from tests.e2e.wire.callers import OPTIONS, PATIENCE, Callers
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id, metrics
from tests.processes import ANY_PORT, run
from tests.storage.postgres.server import Server, running_server

# Several services start here, each of three processes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TWO = ("--workers", "2")
HASTY = (sys.executable, "-m", "tests.workers.hasty", *TWO)
AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
START_TIMEOUT = 120.0
HANDLED = "checkout_grpc_calls_handled_total"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a database server for the services of this module."""
    with running_server() as running:
        yield running


async def query(url: str, statement: str) -> list[asyncpg.Record]:
    """Run a statement beside the service."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def states(database: str) -> dict[str, str]:
    """Return the state of every stored session."""
    rows = await query(database, "SELECT session_id, state FROM sessions")
    return {str(row["session_id"]): str(row["state"]) for row in rows}


def settings(server: Server, provider: Provider, name: str) -> dict[str, str]:
    """Make a database, and return the settings of a service that keeps its sessions there."""
    asyncio.run(query(server.url(), f"CREATE DATABASE {name}"))
    return {**account(provider.url), "CHECKOUT_STORE_URL": server.url(name)}


def handled(service: ServiceProcess) -> float:
    """Return how many creates the service says it has answered well."""
    return sum(
        value
        for (name, labels), value in metrics(service).items()
        if name == HANDLED and ("code", "OK") in labels
    )


def nth(service: ServiceProcess, event: str, number: int) -> LogLine:
    """Wait for the line of an event that is the one of a number."""
    service.stderr.wait_for(lambda text: text.count(f'"{event}"') >= number or None, PATIENCE)
    return service.log(event)[number - 1]


def busiest(service: ServiceProcess) -> LogLine:
    """Return the first line of the worker that has had most calls."""
    had = [line["worker"] for line in service.log("call.finished")]
    lines = service.log("worker.started")
    return max(lines, key=lambda line: had.count(line["worker"]))


@pytest.fixture(scope="module")
def two(
    server: Server, running: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A service of two workers."""
    folder = tmp_path_factory.mktemp("two")
    chosen = settings(server, running, "two")
    program = (*SERVE_ACCOUNTS, *TWO)
    with start(folder, chosen, program, start_timeout=START_TIMEOUT) as service:
        yield service


def test_both_answer_at_one_address_and_count_together(two: ServiceProcess) -> None:
    """Callers reach either process at the same port, and any of them tells what all of them did."""
    calls = 0
    while len({line["worker"] for line in two.log("call.finished")}) < 2:
        with grpc.insecure_channel(two.grpc, OPTIONS) as channel:
            request = create_request(request_id=fresh_id())
            CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT)
        calls += 1
        # The line is written after the caller's answer.
        nth(two, "call.finished", calls)
    assert {handled(two) for _ in range(10)} == {calls}
    (started,) = two.log("service.started")
    assert (started["workers"], "worker" in started) == (2, False)
    pids = {line["pid"] for line in two.log("worker.started")}
    assert len(pids | {two.pid}) == 3


def test_a_second_service_is_refused(two: ServiceProcess, server: Server, tmp_path: Path) -> None:
    """Neither one process nor several come to share the addresses by accident, and health is found there."""
    chosen = {
        **ANY_PORT,
        "CHECKOUT_STORE_URL": server.url("two"),
        "CHECKOUT_PROVIDERS__DODO__DEFAULT__API_KEY": "key",
    }
    grpc_port = {"CHECKOUT_GRPC_ADDRESS": two.grpc}
    web_port = {"CHECKOUT_WEB_ADDRESS": two.web}
    for taken, address, more in (
        (grpc_port, two.grpc, ()),
        (web_port, two.web, TWO),
    ):
        refused = run("serve", *more, folder=tmp_path, settings={**chosen, **taken})
        assert refused.returncode == 1
        assert f"cannot listen on {address}" in refused.stderr
        assert "Traceback" not in refused.stderr
    shown = run("health", folder=tmp_path, settings={"CHECKOUT_GRPC_ADDRESS": two.grpc})
    assert (shown.returncode, shown.stdout) == (0, f"{two.grpc}: SERVING\n")


async def test_a_stop_under_load(two: ServiceProcess, server: Server) -> None:
    """All workers turn calls away before the log says so; what any of them took is answered and stored."""
    before = await states(server.url("two"))
    callers = Callers(two.grpc, number=16)
    calling = asyncio.create_task(callers.run())
    await callers.wait_for(50)
    two.send(signal.SIGTERM)
    status = await asyncio.to_thread(two.wait)
    await asyncio.wait_for(calling, PATIENCE)
    assert status == 0
    refused = {code for code, _ in callers.refusals}
    assert refused <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    stored = await states(server.url("two"))
    assert stored == before | dict.fromkeys(callers.answered.values(), "OPEN")
    events = [line["event"] for line in two.log() if line["event"] != "call.finished"]
    assert (events.count("service.stopping"), events[-1]) == (1, "service.stopped")


async def test_deaths(server: Server, provider: Provider, tmp_path: Path) -> None:
    """Whoever asks again misses no worker that dies or hangs; without a supervisor the workers stop."""
    chosen = await asyncio.to_thread(settings, server, provider, "deaths")
    chosen["TMPDIR"] = str(tmp_path)
    with start(tmp_path, chosen, HASTY, cwd=ROOT, start_timeout=START_TIMEOUT) as service:
        await check_worker_killed(service, server.url("deaths"))
        await asyncio.to_thread(check_worker_stopped, service)
        await asyncio.to_thread(check_supervisor_killed, service, tmp_path)


async def check_worker_killed(service: ServiceProcess, database: str) -> None:
    """Kill the worker that has most to do, and see that every caller gets one session for each request id."""
    callers = Callers(service.grpc, insist=True)
    calling = asyncio.create_task(callers.run())
    await callers.wait_for(50)
    before = await asyncio.to_thread(handled, service)
    victim = busiest(service)
    os.kill(int(str(victim["pid"])), signal.SIGKILL)
    await callers.wait_for(50)
    after = await asyncio.to_thread(handled, service)
    again = await asyncio.to_thread(nth, service, "worker.started", 3)
    callers.stop()
    await asyncio.wait_for(calling, PATIENCE)
    assert (again["worker"], again["pid"] != victim["pid"]) == (victim["worker"], True)
    assert before <= after <= await asyncio.to_thread(handled, service)
    assert sorted(await states(database)) == sorted(callers.answered.values())
    assert {code for code, _ in callers.refusals} <= AGAIN, callers.refusals


def check_worker_stopped(service: ServiceProcess) -> None:
    """Hold a worker, and see that it is ended and replaced while the other one is left alone."""
    hung = nth(service, "worker.started", 3)
    os.kill(int(str(hung["pid"])), signal.SIGSTOP)
    again = nth(service, "worker.started", 4)
    assert (again["worker"], again["pid"] != hung["pid"]) == (hung["worker"], True)
    _, ended = service.log("worker.ended")
    assert (ended["pid"], ended["reason"]) == (hung["pid"], "it said nothing for 15 s")


def check_supervisor_killed(service: ServiceProcess, folder: Path) -> None:
    """Kill the supervisor, and see that its workers end, leave the addresses, and leave nothing on disk."""
    assert list(folder.glob("checkout-workers-*"))
    service.kill()
    # The log has ended: nobody is left to write to it.
    assert not service.stderr._is_open
    for address in (service.grpc, service.web):
        host, _, port = address.rpartition(":")
        with closing(listener(host, int(port))) as free:
            free.listen()
    assert not list(folder.glob("checkout-workers-*"))
