"""Where a store's URL says that its data stand."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

_SCHEME = "sqlite:///"
_SERVER_SCHEMES = ("postgresql", "postgres")
_LAST_PORT = 65535


class PostgresPlace(NamedTuple):
    """A PostgreSQL database, and whether a pooler stands before it that changes servers between transactions."""

    dsn: str
    pooled: bool

    @property
    def shown(self) -> str:
        """The address without names and passwords."""
        parts = urlsplit(self.dsn)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


def place_of(url: str) -> Path | PostgresPlace:
    """Return the place of a store URL of either kind. Raises ValueError for anything else."""
    return postgres_place(url) if names_server(url) else sqlite_path(url)


def names_server(url: str) -> bool:
    """Tell whether a store URL is one of PostgreSQL."""
    return url.partition("://")[0] in _SERVER_SCHEMES


def sqlite_path(url: str) -> Path:
    """Return the database file of a store URL. Raises ValueError for anything else."""
    if not url.startswith(_SCHEME):
        raise ValueError(
            "The store URL must be sqlite:///relative/path.db, sqlite:////absolute/path.db or "
            "postgresql://user@host/database."
        )
    path = url.removeprefix(_SCHEME)
    if not path or path.endswith("/") or path.startswith(":memory:") or "?" in path:
        raise ValueError(
            "The store URL must name a database file: a store in memory keeps nothing."
        )
    return Path(path)


def postgres_place(url: str) -> PostgresPlace:
    """Return the database of a PostgreSQL URL; `pooled=true` in its query is ours. Raises ValueError."""
    parts = urlsplit(url)
    if not parts.path.strip("/"):
        raise ValueError("The store URL must name a database: postgresql://user@host/database.")
    _check_ports(parts.netloc.rpartition("@")[2])
    query = parse_qsl(parts.query, keep_blank_values=True)
    said = [value for name, value in query if name == "pooled"]
    if any(value not in {"true", "false"} for value in said):
        raise ValueError("The store URL must say pooled=true or pooled=false.")
    if parts.password is not None or any(name == "password" for name, _ in query):
        # The URL is printed, logged and handed to the program that migrates.
        raise ValueError(
            "The store URL must hold no password: set PGPASSFILE or PGPASSWORD, which the driver reads."
        )
    others = urlencode([pair for pair in query if pair[0] != "pooled"])
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return PostgresPlace(f"{address}?{others}" if others else address, pooled="true" in said)


def _check_ports(hosts: str) -> None:
    for host in hosts.split(","):
        # The colons of an IPv6 address stand in brackets.
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise ValueError("The store URL must have a port from 1 to 65535, or none.")
