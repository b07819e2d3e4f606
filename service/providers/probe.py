"""Asks a provider something harmless, to learn whether an account's key works and what time it is there."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from msgspec import Struct

from service.providers.answers import unsent_cause

MAX_BODY_BYTES = 1024 * 1024


class Probe(Struct, frozen=True, kw_only=True):
    """A cheap read that needs the account's key, and changes nothing.

    Where a provider has none, `tries_key` is false, and any answer of its host will do.
    """

    url: str
    headers: Mapping[str, str]
    tries_key: bool = True


class ProbeAnswer(Struct, frozen=True, kw_only=True):
    """What came back: `date` is the provider's clock, None where it did not say."""

    status: int
    is_json: bool
    date: datetime | None
    seconds: float


class ProbeLost(Exception):
    """Nothing usable came back; the text says why, and quotes nobody."""


async def send(probe: Probe) -> ProbeAnswer:
    """Send a probe, once, following no redirect. Raises ProbeLost; its caller bounds the time."""
    start = time.perf_counter()
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(probe.url, headers=probe.headers, allow_redirects=False) as response,
        ):
            seconds = time.perf_counter() - start
            return ProbeAnswer(
                status=response.status,
                is_json=_is_json(await _body(response)),
                date=_date(response.headers.get("Date", "")),
                seconds=seconds,
            )
    except (aiohttp.ClientError, OSError, UnicodeError) as error:
        raise ProbeLost(_reason(error)) from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    return bytes(body)


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            said = getattr(error.certificate_error, "verify_message", "")
            return f"its certificate is refused ({said or 'it cannot be verified'})"
        case aiohttp.ClientConnectorError():
            return _UNSENT[unsent_cause(error)]
        case aiohttp.InvalidURL() | UnicodeError():
            return "its address is none that can be"
        case _:
            return "it closed the connection without a usable answer"


_UNSENT = {
    "connect_timeout": "no connection was made in time",
    "dns": "its name is not known to DNS",
    "tls": "no TLS connection was agreed on",
    "connect_failed": "the connection is refused or there is no route",
}
