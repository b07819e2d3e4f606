"""Sets up what the service tells of itself: its log and its metrics."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from types import MappingProxyType
from typing import BinaryIO

import msgspec
import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from structlog.typing import EventDict, Processor, WrappedLogger

from service.core.clock import SystemClock

MASK = "[masked]"

PRIVATE_KEYS = frozenset(
    {
        *("address", "billing_address", "shipping_address", "line1", "line2", "postal_code"),
        *("customer", "collected", "email", "first_name", "last_name", "full_name", "phone"),
        *("phone_number", "tax_id", "ip_address", "remote", "metadata"),
        *("api_key", "api_token", "authorization", "cookie", "headers", "password", "secret"),
        *("signature", "token", "webhook_secret", "webhook_signature", "webhook_secrets"),
        *("body", "payload", "query", "request", "response", "checkout_url", "provider_url"),
    }
)
"""Names under which personal data and secrets travel; no log line needs them."""

_PLAIN = (str, int, float, bool, type(None), date, timedelta, Enum)
_USUAL = frozenset({str, int, float, bool, type(None)})
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(
    *,
    level: str = "info",
    style: str = "auto",
    stream: BinaryIO | None = None,
    worker: int | None = None,
) -> None:
    """Send structlog's and the standard library's lines to a stream, by default standard error.

    Style is `json`, `text`, or `auto`: text on a terminal, JSON elsewhere. A worker's lines have its number.
    """
    stream = stream or sys.stderr.buffer
    is_text = style == "text" or (style == "auto" and stream.isatty())
    always = {} if worker is None else {"worker": worker}
    structlog.configure(
        processors=_text(always, colours=stream.isatty())
        if is_text
        else [JsonLine(SystemClock(), always)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=_LEVELS[level], handlers=[ForeignHandler()], force=True)
    # It quotes what it cannot read, signatures and buyers included, and who sent it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _text(always: Mapping[str, object], *, colours: bool) -> list[Processor]:
    console = structlog.dev.ConsoleRenderer(
        colors=colours, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def render(logger: WrappedLogger, name: str, fields: EventDict) -> bytes:
        return str(console(logger, name, {**fields, **always})).encode("utf-8", "backslashreplace")

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [structlog.processors.add_log_level, stamp, mask, render]


class JsonLine:
    """Makes a line of an event: one JSON object, the time, level and event first.

    It is the only processor, as every call of the service writes lines and each step costs.
    """

    def __init__(
        self, clock: SystemClock, always: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        self._clock = clock
        self._begin = {"timestamp": "", "level": "", "event": "", **always}
        self._encode = msgspec.json.Encoder(enc_hook=repr).encode

    def __call__(self, logger: WrappedLogger, name: str, fields: EventDict) -> bytes:
        fields = mask(logger, name, fields)
        if "exc_info" in fields:
            fields = structlog.processors.format_exc_info(logger, name, fields)
        line = {**self._begin, **fields}
        line["timestamp"] = self._clock.now().isoformat()[:-6] + "Z"
        line["level"] = "error" if name == "exception" else name
        try:
            return self._encode(line)
        except (UnicodeEncodeError, OverflowError):
            # Half a surrogate pair, or an integer of more than 64 bits: rare, and no reason to lose a line.
            return json.dumps(line, default=repr).encode()


def mask(_logger: WrappedLogger, _name: str, fields: EventDict) -> EventDict:
    """Hide values under private names, and objects whose fields nobody has looked at.

    Callers leave such values out; this is the net below them.
    """
    if PRIVATE_KEYS.isdisjoint(fields) and _USUAL.issuperset(map(type, fields.values())):
        return fields
    for key, value in fields.items():
        if key in PRIVATE_KEYS:
            fields[key] = MASK
        elif not isinstance(value, _PLAIN) and key not in {"exc_info", "stack_info"}:
            fields[key] = _masked(value)
    return fields


def _masked(value: object) -> object:
    match value:
        case Mapping():
            return {
                str(key): MASK if key in PRIVATE_KEYS else _masked(inner)
                for key, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_masked(inner) for inner in value]
        case _:
            return value if isinstance(value, _PLAIN) else f"<{type(value).__name__}>"


class ForeignHandler(logging.Handler):
    """Passes lines of libraries that use the standard library's logging on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; the library's own words are its event."""
        try:
            log = structlog.get_logger().bind(logger=record.name)
            level = max(10, min(50, record.levelno // 10 * 10))
            log.log(level, record.getMessage(), exc_info=record.exc_info or None)
        except Exception:  # noqa: BLE001 - a line that cannot be written stops nobody
            self.handleError(record)


def create_registry() -> CollectorRegistry:
    """Return a registry that already tells of the process."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
