"""The service's commands as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

CHECKOUT = str(Path(sys.executable).parent / "checkout")
ANY_PORT = {
    "CHECKOUT_GRPC_ADDRESS": "127.0.0.1:0",
    "CHECKOUT_WEB_ADDRESS": "127.0.0.1:0",
    "CHECKOUT_SANDBOX_ADDRESS": "127.0.0.1:0",
}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with some settings and no others."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CHECKOUT_")}
    return {**bare, **settings}


def run(
    *arguments: str, folder: Path, settings: Mapping[str, str] = ANY_PORT
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [CHECKOUT, *arguments],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(
    *arguments: str, folder: Path, until: str, settings: Mapping[str, str] = ANY_PORT
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a command that stays, and yield it with what it printed and logged up to some words."""
    with subprocess.Popen(
        [CHECKOUT, *arguments],
        cwd=folder,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        printed, rest = "", None
        try:
            assert process.stdout is not None
            for line in process.stdout:
                printed += line
                if until in line:
                    break
            assert until in printed, printed
            # Nobody looks at the rest, and a process whose pipe is full waits for somebody who does.
            rest = Thread(target=process.stdout.read)
            rest.start()
            yield process, printed
        finally:
            process.kill()
            if rest is not None:
                rest.join()
