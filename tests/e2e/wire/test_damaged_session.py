"""One stored session that nobody can read: the service cares for all others, and ends well."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import start
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id

pytestmark = pytest.mark.slow

_DAMAGE = "UPDATE sessions SET due_time = 1, body = '{' WHERE session_id = ?"
_END = """
    UPDATE sessions
    SET due_time = 2, body = json_set(body, '$.expire_time', '2020-01-01T00:00:00Z')
    WHERE session_id = ?
"""


def test_the_others_end(tmp_path: Path) -> None:
    """It is told of, those that are due after it expire, and the service ends without a failure."""
    with start(tmp_path) as service, service.channel() as channel:
        checkout = CheckoutServiceStub(channel)
        damaged, other = (
            checkout.CreateSession(
                create_request(request_id=fresh_id()), timeout=TIMEOUT
            ).session.session_id
            for _ in range(2)
        )
        service.stop()
    with closing(sqlite3.connect(tmp_path / "checkout.db")) as database, database:
        database.execute(_DAMAGE, (damaged,))
        database.execute(_END, (other,))
    with start(tmp_path) as service:
        assert service.wait_for_log("expiry.session_unreadable")["session_id"] == damaged
        assert service.wait_for_log("session.expired")["session_id"] == other
        assert service.stop() == 0
        assert "Traceback" not in service.stderr.text
