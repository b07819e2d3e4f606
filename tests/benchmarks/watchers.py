"""A thousand streams of WatchSessions: how long a change is on its way to all of them, and what they weigh."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import grpc
import grpc.aio
import uvloop

from checkout.v1.checkout_service_pb2 import WatchSessionsRequest, WatchSessionsResponse
from tests.benchmarks.measure import cpu_seconds, percentile, resident_mib
from tests.benchmarks.messages import CREATE, creates
from tests.benchmarks.worker import Child

Watch = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]

WATCH = "/checkout.v1.CheckoutService/WatchSessions"

_CONNECTIONS = 20
_CHANGES_OF_A_CREATE = 2
_PATIENCE = 120.0
_KIB = 1024
_NO_PROXY = ("grpc.enable_http_proxy", 0)


class Watched(NamedTuple):
    """What streams took: seconds from a change to a client, memory of the server's process, and its processor time."""

    p50_seconds: float
    p99_seconds: float
    kib_a_stream: float
    server_cpu: float
    delivered: int
    expected: int


def measure(
    address: str, pid: int, *, streams: int = 1000, events: float = 10, seconds: float = 20
) -> Watched:
    """Open streams to a service whose store is empty, and create sessions for a while.

    Each session is two changes, told to every stream; the streams live in a process of their own.
    """
    with Child([sys.executable, "-m", "tests.benchmarks.watchers"]) as watchers:
        _create(address, 10, 0)
        before = resident_mib(pid)
        watchers.ask(open=streams, address=address)
        begun, used = time.perf_counter(), cpu_seconds(pid)
        number = int(events * seconds / _CHANGES_OF_A_CREATE)
        _create(address, number, _CHANGES_OF_A_CREATE / events)
        expected = number * _CHANGES_OF_A_CREATE * streams
        latencies: list[float] = watchers.ask(collect=expected)
        spent = time.perf_counter() - begun
        return Watched(
            p50_seconds=percentile(latencies, 0.5),
            p99_seconds=percentile(latencies, 0.99),
            kib_a_stream=(resident_mib(pid) - before) * _KIB / streams,
            server_cpu=(cpu_seconds(pid) - used) / spent,
            delivered=len(latencies),
            expected=expected,
        )


def _create(address: str, number: int, pause: float) -> None:
    with grpc.insecure_channel(address, [_NO_PROXY]) as channel:
        create: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CREATE)
        due = time.monotonic()
        for request in islice(creates(f"watched-{time.monotonic_ns()}"), number):
            create(request, timeout=_PATIENCE)
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))


class Streams:
    """Open streams, and how long each change took to reach each of them."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._ready = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, address: str, number: int) -> None:
        """Open streams over a few connections; return when each was told all there was."""
        options = [_NO_PROXY, ("grpc.use_local_subchannel_pool", 1)]
        channels = [
            grpc.aio.insecure_channel(address, options) for _ in range(min(number, _CONNECTIONS))
        ]
        watches: list[Watch] = [channel.unary_stream(WATCH) for channel in channels]
        request = WatchSessionsRequest().SerializeToString()
        for place in range(number):
            call = watches[place % len(watches)](request)
            self._tasks.append(asyncio.create_task(self._read(call)))
        await self._until(lambda: self._ready == number)

    async def collect(self, expected: int) -> list[float]:
        """Return what was measured, once every change has reached every stream."""
        await self._until(lambda: len(self._latencies) >= expected)
        return sorted(self._latencies)

    async def _read(self, call: "grpc.aio.UnaryStreamCall[bytes, bytes]") -> None:
        is_ready = False
        async for raw in call:
            now = time.time()
            message = WatchSessionsResponse.FromString(raw)
            if is_ready:
                self._latencies += [
                    now - change.change_time.ToNanoseconds() / 1e9 for change in message.changes
                ]
            elif not message.changes:
                is_ready = True
                self._ready += 1

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not holds():
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.05)


async def main() -> None:
    """Do what the lines of standard input ask for."""
    streams = Streams()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        if "open" in question:
            await streams.open(question["address"], question["open"])
            answer = []
        else:
            answer = await streams.collect(question["collect"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
