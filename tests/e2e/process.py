"""Runs the real service as a process of its own, the way an operator starts it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

import grpc
import grpc.aio

BIN = Path(sys.prefix) / "bin"
SERVE = (str(BIN / "checkout"), "serve", "--sandbox")
START_TIMEOUT = 60.0
STOP_TIMEOUT = 40.0

LogLine = dict[str, object]
Found = TypeVar("Found")


class Output:
    """What a process has written to one of its streams so far."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._is_open = True
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        """Every line written so far, without its end."""
        with self._changed:
            return [line.rstrip("\n") for line in self._lines]

    @property
    def text(self) -> str:
        """Everything written so far."""
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, find: Callable[[str], Found | None], timeout: float) -> Found | None:
        """Wait until `find` returns something for what was written, or the stream ends."""
        found: Found | None = None

        def is_decided() -> bool:
            nonlocal found
            found = find("".join(self._lines))
            return found is not None or not self._is_open

        with self._changed:
            self._changed.wait_for(is_decided, timeout)
        return found

    def finish(self) -> None:
        """Wait until the stream has ended."""
        self._reader.join(STOP_TIMEOUT)

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._is_open = False
            self._changed.notify_all()


class ServiceProcess:
    """A running service: where it listens, what it has written, and how to end it."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        # A session of its own lets a signal reach make and whatever it started, as Ctrl-C does.
        self._process = subprocess.Popen(
            program,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout
        assert self._process.stderr
        self.stdout = Output(self._process.stdout)
        self.stderr = Output(self._process.stderr)
        self.grpc = ""
        self.web = ""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def log(self, event: str = "") -> list[LogLine]:
        """Return the log lines written so far, of one event or of all."""
        return log_lines(self.stderr.text, event)

    def wait_for_log(self, event: str, timeout: float = START_TIMEOUT) -> LogLine:
        """Wait for the first log line of an event and return it."""
        found = self.stderr.wait_for(lambda text: next(iter(log_lines(text, event)), None), timeout)
        assert found is not None, f"no {event} in:\n{self.stderr.text}"
        return found

    def wait_until_started(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until the service answers, and learn its addresses."""
        started = self.wait_for_log("service.started", timeout)
        self.grpc, self.web = str(started["grpc"]), str(started["web"])

    def channel(self) -> grpc.Channel:
        """Open a channel to the service."""
        return grpc.insecure_channel(self.grpc, [("grpc.enable_http_proxy", 0)])

    def aio_channel(self) -> grpc.aio.Channel:
        """Open a channel to the service on the running event loop."""
        return grpc.aio.insecure_channel(self.grpc, [("grpc.enable_http_proxy", 0)])

    def send(self, number: int, *, group: bool = False) -> None:
        """Send a signal, to the process alone or to everything it has started too."""
        if self.is_running:
            (os.killpg if group else os.kill)(self.pid, number)

    def end_group(self) -> None:
        """End whatever the process has started and left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Wait until the process has ended and return its exit status."""
        status = self._process.wait(timeout)
        self.stdout.finish()
        self.stderr.finish()
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit status."""
        self.send(number)
        return self.wait()

    def kill(self) -> int:
        """End the process at once, as a crash would."""
        return self.stop(signal.SIGKILL)


@contextmanager
def start(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = SERVE,
    *,
    cwd: Path | None = None,
    is_service: bool = True,
    start_timeout: float = START_TIMEOUT,
) -> Iterator[ServiceProcess]:
    """Start a service on free ports with its store in a folder; end it on leaving.

    `settings` are further environment variables, such as {"CHECKOUT_LOG_LEVEL": "debug"}. Started
    again in the same folder, it finds the same store. A program that is no service is not waited for.
    """
    process = ServiceProcess(program, environment(folder, settings or {}), cwd or folder)
    try:
        if is_service:
            process.wait_until_started(start_timeout)
        yield process
    finally:
        if process.is_running:
            process.stop()
        process.end_group()


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the calling environment with the settings of a service kept in a folder."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("CHECKOUT_")}
    return own | {
        "CHECKOUT_GRPC_ADDRESS": "127.0.0.1:0",
        "CHECKOUT_WEB_ADDRESS": "127.0.0.1:0",
        "CHECKOUT_STORE_URL": f"sqlite:///{folder}/checkout.db",
        "CHECKOUT_LOG_FORMAT": "json",
        **settings,
    }


def log_lines(text: str, event: str = "") -> list[LogLine]:
    """Read the log lines of an event, or of all, out of what a service wrote."""
    complete = text[: text.rfind("\n") + 1].split("\n")
    lines = [json.loads(line) for line in complete if line.startswith("{")]
    return [line for line in lines if event in {"", line.get("event")}]
