"""A PostgreSQL server in the care of a process without gRPC, whose threads a fork may not survive."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.storage.postgres.server import running_server


class KeptServer:
    """A server that can crash, and be started again at the same address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._base = self._heard()

    def url(self, database: str = "postgres") -> str:
        """Return the store URL of a database."""
        return f"{self._base}{database}"

    async def crash(self) -> None:
        """Kill it with every process of its own."""
        await asyncio.to_thread(self._order, "crash")

    async def start(self) -> None:
        """Start it again, and return once it has recovered and takes connections."""
        await asyncio.to_thread(self._order, "start")

    def _order(self, what: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._heard() == what

    def _heard(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def kept_server() -> Iterator[KeptServer]:
    """Run a server, whose keeper ends it when nobody gives orders any more."""
    with subprocess.Popen(
        (sys.executable, "-m", "tests.torture.keeper"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield KeptServer(process)


def main() -> None:
    """Keep a server, and do with it what the lines say that come in."""
    with running_server() as server:
        tell(server.url(""))
        for line in sys.stdin:
            if line.strip() == "start":
                server.start()
            else:
                server.stop(signal.SIGKILL)
            tell(line.strip())
        # In order it would first write what is deleted next.
        server.stop(signal.SIGKILL)


def tell(line: str) -> None:
    """Say something to whoever gives the orders."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
