"""What is told of a database that failed says why, and nothing that only its operator may know."""

import errno
import socket
import ssl
from datetime import timedelta

import asyncpg
import pytest

from service.storage.postgres.causes import what_failed
from service.storage.postgres.engine import FAILURES
from service.storage.postgres.pool import EveryConnectionInUseError

SECRET = "buyer@example.com at db.internal:5432"
PATIENCE = timedelta(seconds=5)

CAUSES = [
    (ConnectionRefusedError(errno.ECONNREFUSED, SECRET), "connection refused"),
    (OSError(errno.EHOSTUNREACH, SECRET), "no route to host"),
    (socket.gaierror(socket.EAI_NONAME, SECRET), "the host's name is unknown"),
    (ssl.SSLCertVerificationError(1, SECRET), "no secured connection could be made"),
    (TimeoutError(SECRET), "timed out after 5 s"),
    (ConnectionResetError(errno.ECONNRESET, SECRET), "connection reset by peer"),
    (asyncpg.ConnectionDoesNotExistError(SECRET), "the connection broke"),
    (asyncpg.InterfaceError(SECRET), "the connection broke"),
    (asyncpg.InternalClientError(SECRET), "the connection broke"),
    (asyncpg.DiskFullError(SECRET), "disk full (53100)"),
    (asyncpg.ReadOnlySQLTransactionError(SECRET), "read only sql transaction (25006)"),
    (asyncpg.TooManyConnectionsError(SECRET), "too many connections (53300)"),
    (asyncpg.InvalidPasswordError(SECRET), "invalid password (28P01)"),
    (asyncpg.QueryCanceledError(SECRET), "query canceled (57014)"),
    (asyncpg.CannotConnectNowError(SECRET), "cannot connect now (57P03)"),
]


@pytest.mark.parametrize(("error", "cause"), CAUSES, ids=lambda value: type(value).__name__)
def test_a_cause_has_words_of_ours(error: Exception, cause: str) -> None:
    """Each failure is told by its kind or code; the driver's own text is not in it."""
    assert isinstance(error, FAILURES)
    assert what_failed(error, PATIENCE) == f"The store does not answer: {cause}."


def test_who_waited_in_vain_is_told_so() -> None:
    """That every connection is in use is something else than a database that is away."""
    told = what_failed(EveryConnectionInUseError(), PATIENCE)
    assert told == "Every connection to the store is in use."
