"""The log and the metrics: what a line looks like, and what never stands in one."""

import enum
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import structlog

from service.telemetry import MASK, PRIVATE_KEYS, configure_logging, create_registry


class Stream(io.BytesIO):
    """A stream that may say it is a terminal."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Answer as constructed."""
        return self._is_terminal

    def text(self) -> str:
        """Return everything written."""
        return self.getvalue().decode()

    def line(self) -> dict[str, object]:
        """Return the one JSON line written."""
        found = json.loads(self.getvalue())
        assert isinstance(found, dict)
        return found


class Odd(enum.Enum):
    """A value that JSON does not know."""

    ONE = "one"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:], structlog.get_config())
    yield
    logging.captureWarnings(capture=False)
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    structlog.configure(**before[2])


@pytest.fixture
def stream() -> Stream:
    """A log that is no terminal."""
    stream = Stream()
    configure_logging(stream=stream)
    return stream


def test_line_is_json_off_a_terminal(stream: Stream) -> None:
    """Collectors get one object with a UTC time, the level and the event first."""
    structlog.get_logger().info("session.created", provider="dodo", latency_ms=1.5)
    line = stream.line()
    assert list(line) == ["timestamp", "level", "event", "provider", "latency_ms"]
    moment = datetime.fromisoformat(str(line["timestamp"]))
    assert moment.utcoffset() == datetime.now(UTC).utcoffset()
    assert line["level"] == "info"


def test_line_is_readable_on_a_terminal() -> None:
    """People get words instead."""
    stream = Stream(is_terminal=True)
    configure_logging(stream=stream)
    structlog.get_logger().info("session.created", provider="dodo")
    assert "session.created" in stream.text()
    assert not stream.text().startswith("{")


@pytest.mark.parametrize(("style", "is_json"), [("json", True), ("text", False)])
def test_style_can_be_chosen(style: str, is_json: bool) -> None:
    """Whatever the stream is, the setting decides."""
    stream = Stream(is_terminal=is_json)
    configure_logging(stream=stream, style=style)
    structlog.get_logger().info("session.created")
    assert stream.text().startswith("{") is is_json


def test_level_is_kept() -> None:
    """Less important lines are not written, of libraries neither."""
    stream = Stream()
    configure_logging(stream=stream, level="warning")
    structlog.get_logger().info("session.created")
    logging.getLogger("aiohttp").info("hello")
    assert stream.text() == ""


def test_exception_is_rendered(stream: Stream) -> None:
    """The trace is one field of the line, without the values of variables."""
    secret = bytes([99, 97, 110, 97, 114, 121]).decode()
    try:
        len(secret) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("call.failed")
    line = stream.line()
    assert "ZeroDivisionError: division by zero" in str(line["exception"])
    assert secret not in stream.text()
    assert line["level"] == "error"


@pytest.mark.parametrize("name", ["aiohttp.client", "grpc", "alembic.runtime.migration"])
def test_lines_of_libraries_join_ours(stream: Stream, name: str) -> None:
    """The standard library's logging ends in the same log and form."""
    logging.getLogger(name).warning("hello %s", "world")
    line = stream.line()
    assert (line["event"], line["logger"], line["level"]) == ("hello world", name, "warning")


def test_library_line_with_its_own_level_is_kept(stream: Stream) -> None:
    """A level between two of ours counts as the lower."""
    logging.getLogger("odd").log(35, "hello")
    assert stream.line()["level"] == "warning"


def test_library_line_that_cannot_be_formatted_stops_nobody(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in a library's log call is not ours to die of."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("odd").warning("%d", "not a number")
    assert stream.text() == ""


@pytest.mark.parametrize("key", sorted(PRIVATE_KEYS))
def test_private_names_are_masked(stream: Stream, key: str) -> None:
    """What travels under a private name is hidden, within other values too."""
    log = structlog.get_logger()
    log.info("session.created", **{key: "canary"}, details={key: ["canary"]})
    assert "canary" not in stream.text()
    assert stream.line()[key] == MASK


def test_objects_are_named_and_not_shown(stream: Stream) -> None:
    """A struct or an exception in a line could hold anything, so only its type is told."""

    class Customer(msgspec.Struct):
        email: str

    structlog.get_logger().info(
        "session.created", who=Customer("canary"), why=[ValueError("canary")]
    )
    line = stream.line()
    assert (line["who"], line["why"]) == ("<Customer>", ["<ValueError>"])


@pytest.mark.parametrize("value", ["\ud800", 2**70, Odd.ONE, {1: 2}, {3}, b"x"])
def test_odd_values_lose_no_line(stream: Stream, value: object) -> None:
    """Whatever a field holds, the line is written and reads as JSON."""
    structlog.get_logger().info("session.created", odd=value)
    assert stream.line()["event"] == "session.created"


@pytest.mark.parametrize("style", ["json", "text"])
def test_worker_names_itself_in_every_line(style: str) -> None:
    """Where several processes write to one log, each line tells whose it is, a library's too."""
    stream = Stream()
    configure_logging(stream=stream, style=style, worker=2)
    structlog.get_logger().info("session.created")
    logging.getLogger("aiohttp").warning("hello")
    lines = stream.text().splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "worker=2" in line if style == "text" else json.loads(line)["worker"] == 2


def test_registry_tells_of_the_process() -> None:
    """Memory, CPU and collections are measured from the start, in a registry of its own."""
    registry = create_registry()
    assert registry.get_sample_value("python_info", _python_info()) == 1
    if Path("/proc/self/stat").exists():
        assert registry.get_sample_value("process_resident_memory_bytes")
    assert create_registry() is not registry


def _python_info() -> dict[str, str]:
    major, minor, patch = sys.version_info[:3]
    return {
        "implementation": "CPython",
        "major": str(major),
        "minor": str(minor),
        "patchlevel": str(patch),
        "version": f"{major}.{minor}.{patch}",
    }
