"""One stored session that nobody can read: the service cares for all others, and ends well."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import start
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id

pytestmark = pytest.mark.slow

DAMAGED = "UPDATE sessions SET due_time = 1, body = '{'"


def test_the_sweep_begins_anew(tmp_path: Path) -> None:
    """A sweep that meets it is told of, begins anew, and makes the end no failure."""
    with start(tmp_path) as service, service.channel() as channel:
        request = create_request(request_id=fresh_id())
        CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT)
        service.stop()
    with closing(sqlite3.connect(tmp_path / "checkout.db")) as database, database:
        database.execute(DAMAGED)
    with start(tmp_path) as service:
        assert service.wait_for_log("background.failed")["error"] == "DecodeError"
        assert service.stop() == 0
        assert "Traceback" not in service.stderr.text
