"""The service as a process that kills itself: `python -m tests.torture.victim --kill-at result.before:3`.

Everything is the service's own; its ports are watched from outside, and its leases are shorter than an hour of tests.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn
from unittest.mock import patch

import click

from service import app, cli
from service.providers.registry import PROVIDERS
from tests.torture.watched import Killer, WatchedStore, watched_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.core.ports import Clock, Store
    from service.storage.connections import Connections

LEASE = timedelta(seconds=5)
"""Longer than the longest call of an account as the tests configure it."""

_STDIN = 0
_PORTION = 65536


class ClockAhead:
    """A store's clock, some seconds later."""

    def __init__(self, clock: Clock, ahead: float) -> None:
        self._clock = clock
        self._ahead = timedelta(seconds=ahead)

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    async def sleep(self, delay: timedelta) -> None:
        await self._clock.sleep(delay)


def serve(kill_at: str, ahead: float, lease: timedelta) -> int:
    """Run `checkout serve` with the environment's settings until it stops or dies."""
    killer, open_store = Killer(kill_at), app.open_store  # type: ignore[attr-defined]

    async def open_watched(url: str, connections: Connections) -> WatchedStore:
        store: Store = await open_store(url, connections)
        return WatchedStore(store, ClockAhead(store.clock, ahead), killer)

    with ExitStack() as patched:
        for target, value in {
            "service.app.open_store": open_watched,
            "service.core.create.LEASE": lease,
            "service.core.rules.LEASE": lease,
            "service.core.closing.AGAIN_AFTER": lease,
            "service.core.expiry._CLAIM": lease,
            "service.providers.http.ClientSession": watched_client(killer),
        }.items():
            patched.enter_context(patch(target, value))
        return int(cli.main(["serve"], standalone_mode=False) or 0)


def keep_starting() -> None:
    """Start services, each in a process of its own, as lines of orders come in, and tell of each that ends.

    A service that is forked from what is loaded already starts in a tenth of the time.
    """
    _load()
    news, noted = os.pipe()
    os.set_blocking(noted, False)
    signal.set_wakeup_fd(noted)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = b""
    while True:
        ready, _, _ = select.select([_STDIN, news], [], [])
        if news in ready:
            os.read(news, _PORTION)
            _tell_the_dead()
        if _STDIN in ready:
            said = os.read(_STDIN, _PORTION)
            if not said:
                return
            *lines, orders = (orders + said).split(b"\n")
            for line in lines:
                _start(json.loads(line))


def _load() -> None:
    # What is loaded before the fork is not loaded once in each life, nor looked through by its collector.
    for name in ("uvloop", "service.storage.postgres.store"):
        import_module(name)
    list(PROVIDERS.values())
    gc.collect()
    gc.freeze()


def _start(order: Mapping[str, Any]) -> None:
    pid = os.fork()
    if not pid:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(**order)
    tell("born", pid)


def _tell_the_dead() -> None:
    # One signal may stand for several of them.
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            tell("dead", found[0], os.waitstatus_to_exitcode(found[1]))


def tell(what: str, *numbers: int) -> None:
    """Say something of a process to whoever gives the orders."""
    sys.stdout.write(" ".join((what, *map(str, numbers))) + "\n")
    sys.stdout.flush()


def _become(
    *, environment: Mapping[str, str], log: str, kill_at: str, ahead: float, lease: float
) -> NoReturn:
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os._exit(serve(kill_at, ahead, timedelta(seconds=lease)))


@click.command()
@click.option("--kill-at", default="", help="POINT or POINT:N, a point of tests/torture/points.py.")
@click.option("--ahead", default=0.0, help="Seconds by which the service's clock is ahead.")
@click.option("--nursery", is_flag=True, help="Start services by the orders that come in.")
def main(*, kill_at: str, ahead: float, nursery: bool) -> None:
    """Run the service, and kill it at a point."""
    if nursery:
        keep_starting()
    else:
        sys.exit(serve(kill_at, ahead, LEASE))


if __name__ == "__main__":
    main()
