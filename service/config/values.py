"""The types of settings that are more than text: addresses, durations, URLs, lists."""

import ipaddress
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from service.storage.location import place_of

_UNITS = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}
_UNITS |= {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION = re.compile(r"(\d+)(ms|[smhd])")
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_PUBLIC_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"(/[A-Za-z0-9._~-]+)*"
)
_HIGHEST_PORT = 65_535
_KEY_SIZE = (24, 64)


@dataclass(frozen=True)
class ListenAddress:
    """A host and a port to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def reachable(self) -> "ListenAddress":
        """Return where a client on this machine finds a server that listens here."""
        match self.host:
            case "0.0.0.0":  # noqa: S104 - compared, not listened on
                return ListenAddress("127.0.0.1", self.port)
            case "::":
                return ListenAddress("::1", self.port)
            case _:
                return self


def parse_address(value: object) -> object:
    """Read `host:port` or `[IPv6]:port`."""
    if isinstance(value, ListenAddress):
        return value
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets; write for example [::1]:8080")
    if not host or not port.isascii() or not port.isdigit() or int(port) > _HIGHEST_PORT:
        raise ValueError("this is not host:port; write for example 127.0.0.1:8080")
    return ListenAddress(host, int(port))


def parse_duration(value: object) -> object:
    """Read a whole number with its unit."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("this is not a duration; write a number and ms, s, m, h or d, as in 30s")
    return int(found[1]) * _UNITS[found[2]]


def format_duration(value: timedelta) -> str:
    """Write a duration in the largest unit that divides it."""
    units = sorted(_UNITS.items(), key=lambda unit: -unit[1])
    name, unit = next((pair for pair in units if value and not value % pair[1]), ("s", _UNITS["s"]))
    return f"{value // unit}{name}"


def parse_list(value: object) -> object:
    """Take the one text an environment variable can hold as a list separated by commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def check_url(value: str) -> str:
    """Refuse what cannot be the beginning of a URL; drop a closing slash."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("this is not a URL; write for example https://example.com/base")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the URL has a user name, query or fragment; leave that part out")
    return value.rstrip("/")


def check_public_url(value: str) -> str:
    """Refuse what customers could not be sent to, safely; drop a closing slash."""
    url = value.removesuffix("/")
    found = _PUBLIC_URL.fullmatch(url)
    if found is None or not 0 < int(found["port"] or 443) <= _HIGHEST_PORT:
        raise ValueError("this is no plain URL; write for example https://pay.example.com")
    host = found["host"].strip("[]").lower()
    is_local = host.endswith(".localhost") or ListenAddress(host, 0).is_loopback
    if found["scheme"] != "https" and not is_local:
        raise ValueError("customers need an https URL; http is for this machine alone")
    return url


def check_store_url(value: str) -> str:
    """Refuse what names neither a SQLite file nor a PostgreSQL database."""
    place_of(value)
    return value


def check_name(value: str) -> str:
    """Refuse names that cannot stand in a URL path and in an environment name."""
    if not _NAME.fullmatch(value):
        raise ValueError(
            "a name has up to 63 lower-case letters, digits, dashes and underscores, "
            "and begins and ends with a letter or digit"
        )
    return value


def check_webhook_secret(value: SecretStr) -> SecretStr:
    """Refuse what is no secret of the Standard Webhooks specification."""
    text = value.get_secret_value()
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not text.startswith("whsec_") or not _KEY_SIZE[0] <= len(key) <= _KEY_SIZE[1]:
        raise ValueError("this is not whsec_ and 24 to 64 bytes in base64")
    return value


def between(low: timedelta, high: timedelta) -> AfterValidator:
    """Refuse durations outside two bounds."""

    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise ValueError(f"must be {format_duration(low)} to {format_duration(high)}")
        return value

    return AfterValidator(check)


Address = Annotated[ListenAddress, BeforeValidator(parse_address)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Url = Annotated[str, AfterValidator(check_url)]
PublicUrl = Annotated[str, AfterValidator(check_public_url)]
StoreUrl = Annotated[str, AfterValidator(check_store_url)]
Name = Annotated[str, AfterValidator(check_name)]
WebhookSecret = AfterValidator(check_webhook_secret)
CommaSeparated = BeforeValidator(parse_list)
