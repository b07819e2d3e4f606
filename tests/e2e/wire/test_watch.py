"""Following sessions over real sockets, while servers die, stop and take turns."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider
from tests.e2e.wire.requests import TIMEOUT, create_request
from tests.e2e.wire.test_workers import settings
from tests.storage.postgres.server import running_server

pytestmark = pytest.mark.slow

PATIENCE = 120.0
Seen = list[tuple[str, int]]


class Following:
    """A watch that notes every change and keeps its cursor, from server to server."""

    def __init__(self) -> None:
        self.cursor = ""
        self.seen: Seen = []

    @contextmanager
    def on(self, service: ServiceProcess) -> Iterator[Any]:
        """Open a stream at a server, from the last cursor on."""
        with service.channel() as channel:
            request = pb.WatchSessionsRequest(cursor=self.cursor)
            call: Any = CheckoutServiceStub(channel).WatchSessions(request, timeout=PATIENCE)
            yield call
            call.cancel()

    def until_checkpoint(self, stream: Any) -> None:  # noqa: ANN401 - a stream
        """Read up to the message that says that all is told."""
        while self._take(next(stream)):
            pass

    def until(self, stream: Any, number: int) -> None:  # noqa: ANN401 - a stream
        """Read until so many changes were seen."""
        while len(self.seen) < number:
            self._take(next(stream))

    def _take(self, message: pb.WatchSessionsResponse) -> bool:
        self.seen += [(one.session_id, one.version) for one in message.changes]
        self.cursor = message.cursor
        return bool(message.changes)


def create(service: ServiceProcess, number: int = 1) -> list[str]:
    """Create sessions."""
    with service.channel() as channel:
        stub = CheckoutServiceStub(channel)
        answers = [stub.CreateSession(create_request(), timeout=TIMEOUT) for _ in range(number)]
    return [answer.session.session_id for answer in answers]


def both(session_ids: list[str]) -> Seen:
    """Return the changes of sessions that were created and opened."""
    return [(session_id, version) for session_id in session_ids for version in (1, 2)]


def test_a_cursor_outlives_the_server(tmp_path: Path) -> None:
    """What happened around a crash is told from the last cursor on: no change twice, and none left out."""
    following = Following()
    with start(tmp_path) as service, following.on(service) as stream:
        following.until_checkpoint(stream)
        made = create(service, 3)
        following.until(stream, 2)
        service.kill()
    with start(tmp_path) as service:
        made += create(service, 2)
        with following.on(service) as stream:
            following.until_checkpoint(stream)
            made += create(service)
            following.until(stream, 12)
    with closing(sqlite3.connect(tmp_path / "checkout.db")) as database:
        stored = database.execute(
            "SELECT session_id, version FROM timeline WHERE types IS NOT NULL ORDER BY position"
        ).fetchall()
    assert following.seen == stored == both(made)


def test_a_stop_ends_streams_and_waits_for_no_reader(tmp_path: Path) -> None:
    """Whoever watches is told to go elsewhere; a stream that nobody reads does not keep the server."""
    with start(tmp_path) as service:
        read, unread = Following(), Following()
        with read.on(service) as stream, unread.on(service):
            read.until_checkpoint(stream)
            service.send(signal.SIGTERM)
            refusal = refused(lambda: list(stream))
            assert service.wait() == 0
    assert (refusal.code, refusal.info["reason"]) == (
        grpc.StatusCode.UNAVAILABLE,
        "SHUTTING_DOWN",
    )
    assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
    codes = {
        line["code"] for line in service.log("call.finished") if "Watch" in str(line["method"])
    }
    assert codes == {"UNAVAILABLE"}


def test_replicas_go_on_for_each_other(running: Provider, tmp_path: Path) -> None:
    """A watcher hears of what another replica did, and goes on there when its own one dies."""
    following = Following()
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with running_server() as server:
        chosen = settings(server, running, "watched")
        with (
            start(folders[0], chosen, SERVE_ACCOUNTS) as first,
            start(folders[1], chosen, SERVE_ACCOUNTS) as second,
        ):
            with following.on(first) as stream:
                following.until_checkpoint(stream)
                made = create(second, 2)
                following.until(stream, 3)
                first.kill()
            made += create(second, 2)
            with following.on(second) as stream:
                following.until(stream, 8)
    assert following.seen == both(made)
