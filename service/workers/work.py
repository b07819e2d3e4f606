"""One of several processes that serve: told what to do by its supervisor, and gone when that is."""

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from socket import socket

import uvloop

from service.app import start
from service.core.errors import StoreUnavailable
from service.signals import stop_signal
from service.telemetry import configure_logging
from service.workers.figures import SharedRegistry, leave
from service.workers.orders import Order, Report, Share

BEAT = 5.0
"""Seconds between two words that a worker is alive; only one whose loop turns can say so."""


async def work(order: Order) -> int:
    """Serve until a signal, or until the supervisor shuts the pipe that it holds, and return the exit status."""
    stop, loop = stop_signal(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), _let_go, stop)
    beating = loop.create_task(_beat())
    try:
        return await _serve(order, stop)
    finally:
        beating.cancel()


async def _serve(order: Order, stop: asyncio.Event) -> int:
    share = Share(
        number=order.number,
        web=socket(fileno=order.web),
        registry=SharedRegistry(order.figures, order.number),
    )
    async with AsyncExitStack() as running:
        try:
            turn_away = await start(order.settings, running, share)
        except (StoreUnavailable, OSError) as error:
            _tell(Report("failed", str(error)))
            return 1
        _tell(Report("serving"))
        await stop.wait()
        await turn_away()
        _tell(Report("stopping"))
    return 0


async def _beat() -> None:
    # A supervisor that reads nothing for long must not keep this process from its work.
    os.set_blocking(sys.stdout.fileno(), False)
    while True:
        _tell(Report("alive"))
        await asyncio.sleep(BEAT)


def _let_go(stop: asyncio.Event) -> None:
    # Nothing ever follows the order: what there is to read is the end.
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    stop.set()


def _tell(report: Report) -> None:
    # A supervisor that is gone need not be told.
    with suppress(BrokenPipeError, BlockingIOError):
        os.write(sys.stdout.fileno(), report.written())


def run() -> int:
    """Serve as the order on standard input says, and return the exit status."""
    try:
        order = Order.read(sys.stdin.buffer)
    except EOFError:
        return 1
    log = order.settings.log
    configure_logging(level=log.level, style=log.format, worker=order.number)
    try:
        return uvloop.run(work(order))
    finally:
        if os.getppid() != order.supervisor:
            leave(order.figures, order.number)
