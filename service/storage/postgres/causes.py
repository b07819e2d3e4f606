"""Why a database did not do what it was told: words without host, user, statement or values."""

import os
import re
import socket
import ssl
from datetime import timedelta

import asyncpg

from service.storage.postgres.pool import EveryConnectionInUseError

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What the driver says of a connection that is gone depends on the moment in which it notices.
_BROKEN = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def what_failed(error: BaseException, patience: timedelta) -> str:
    """Return a sentence for an error of the driver, whose own text may hold anything."""
    if isinstance(error, EveryConnectionInUseError):
        return "Every connection to the store is in use."
    return f"The store does not answer: {cause(error, patience)}."


def cause(error: BaseException, patience: timedelta) -> str:
    """Return a few words for what went wrong."""
    match error:
        case TimeoutError():
            return f"timed out after {patience.total_seconds():g} s"
        case asyncpg.PostgresError() if not isinstance(error, _BROKEN):
            return f"{_name(error)} ({error.sqlstate})"
        case socket.gaierror():
            return "the host's name is unknown"
        case ssl.SSLError():
            return "no secured connection could be made"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return "the connection broke" if isinstance(error, _BROKEN) else _name(error)


def _name(error: BaseException) -> str:
    return _WORDS.sub(" ", type(error).__name__.removesuffix("Error")).lower()
