"""A real PgBouncer in transaction mode for the tests; as a program, gets one where there is none."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 30.0
NAME = "pgbouncer"
SERVER_SESSIONS = 3
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
"""Where programs are that servers run; it may be left out of an ordinary user's path."""

DEBIAN = f"apt-get update -q && apt-get install -q -y --no-install-recommends {NAME}"
FIRST_TO_KNOW = (1, 21)
"""Before this version there was nothing to turn off: no PgBouncer knew prepared statements."""

SETTINGS = """
[databases]
checkout = host=127.0.0.1 port={server} dbname=checkout user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
{prepared}
"""


def executable() -> str | None:
    """Return the program, or nothing where it is not installed."""
    return shutil.which(NAME, path=PLACES)


def main() -> None:
    """Make sure that there is a PgBouncer, or say in one line what is missing without it."""
    if executable():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["/bin/sh", "-c", DEBIAN], check=False, env=environment)
    if not executable():
        sys.stderr.write(
            "There is no PgBouncer: its tests are skipped (Debian: apt install pgbouncer).\n"
        )


@contextmanager
def running_pooler(server: int) -> Iterator[int]:
    """Run a pooler before the database `checkout` of a server, and tell its port."""
    program = executable()
    assert program is not None, "there is no PgBouncer"
    folder = Path(tempfile.mkdtemp(prefix="checkout-pgbouncer-"))
    process = None
    try:
        port = _free_port()
        off = "max_prepared_statements = 0" if _version(program) >= FIRST_TO_KNOW else ""
        settings = folder / "pgbouncer.ini"
        said = {"server": server, "port": port, "sessions": SERVER_SESSIONS, "prepared": off}
        settings.write_text(SETTINGS.format(**said))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, settings], stdout=log, stderr=log, **_user(folder))
        _wait(process, port, folder / "log")
        yield port
    finally:
        if process is not None:
            process.kill()
            process.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _user(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    # It refuses to run as root.
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return tuple(int(part) for part in said.stdout.split()[1].split(".")[:2])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
