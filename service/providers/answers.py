"""What comes back from a provider, or the reason why nothing did."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

T = TypeVar("T")

LONGEST_RETRY_AFTER = timedelta(hours=1)
# An amount with decimals must not pass through a binary float.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer: its JSON in `body`, or None and what came instead in `text`."""

    status: int
    body: object = None
    text: str = ""
    retry_after: timedelta | None = None
    request_id: str = ""

    @classmethod
    def of(
        cls,
        status: int,
        headers: Mapping[str, str],
        raw: bytes,
        shape: "msgspec.json.Decoder[Any] | None" = None,
    ) -> "Answer":
        """Build an answer from what came over the wire; success is read into a shape where it has that."""
        body, text = _parsed(raw, shape if 200 <= status < 300 else None)
        return cls(
            status=status,
            body=body,
            text=text,
            retry_after=_retry_after(headers),
            request_id=_request_id(headers),
        )


class Lost(Struct, frozen=True, omit_defaults=True):
    """An attempt without an answer: why, whether anything was sent, and when another may be."""

    cause: str
    sent: bool
    retry_after: timedelta | None = None


class BodyTooLargeError(Exception):
    """The answer is longer than any this client reads."""


SENT_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (BodyTooLargeError, "body_too_large"),
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ServerDisconnectedError, "disconnected"),
    (OSError, "reset"),
)
UNSENT_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "connect_timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
)


def sent_cause(error: Exception) -> str:
    """Name why a sent request has no usable answer."""
    return next((cause for kind, cause in SENT_CAUSES if isinstance(error, kind)), "malformed")


def unsent_cause(error: Exception) -> str:
    """Name why no request could be sent."""
    return next(
        (cause for kind, cause in UNSENT_CAUSES if isinstance(error, kind)), "connect_failed"
    )


def decoder(shape: type[T]) -> "msgspec.json.Decoder[T]":
    """Return what reads JSON of a shape in one go, several times as fast as by way of objects without one."""
    return msgspec.json.Decoder(shape, float_hook=Decimal)


def converted(value: object, shape: type[T]) -> T:
    """Read a value into a shape, unless it has it. Raises ValueError with a cause when it is unusable."""
    if isinstance(value, Struct) and isinstance(value, shape):
        return value
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise ValueError(f"unreadable_body: {error}") from error


def lenient(value: object, shape: type[T]) -> T | None:
    """Read a value into a shape as far as it can be, unless it has it."""
    try:
        return converted(value, shape)
    except ValueError:
        return None


def _parsed(raw: bytes, shape: "msgspec.json.Decoder[Any] | None") -> tuple[object, str]:
    if shape is not None:
        # What has another form is told apart, and refused, by whoever asked for it.
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return shape.decode(raw), ""
    try:
        return _DECODER.decode(raw), ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, raw.decode("utf-8", "replace")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), int(LONGEST_RETRY_AFTER.total_seconds())))
    try:
        # Both times are the server's, so no clock of ours has to agree with it.
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)


def _request_id(headers: Mapping[str, str]) -> str:
    value = headers.get("X-Request-Id", "") or headers.get("CF-Ray", "")
    return value[:128] if value.isascii() and value.isprintable() else ""
