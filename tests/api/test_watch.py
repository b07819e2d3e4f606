"""WatchSessions as a client meets it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from checkout.v1.session_change_pb2 import SessionChange
from checkout.v1.session_pb2 import Session
from service.core.cursors import Cursor
from service.core.news import Told
from service.core.watcher import BACKLOG, Watcher
from tests.api.refusals import refused
from tests.api.served import PATIENCE, Served
from tests.api.test_command_line import grpcurl_binary, needs_grpcurl
from tests.api.test_server import first
from tests.core.conftest import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

Stream = Iterator[pb.WatchSessionsResponse]


class PausingClock(ManualClock):
    """A clock that stands still, and on which pauses take their time."""

    async def sleep(self, delay: timedelta) -> None:
        """Wait without moving the clock."""
        await asyncio.sleep(delay.total_seconds())


@pytest.fixture(scope="module")
def grpc_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return our server, which looks for changes as often as it really does."""
    with running(tmp_path_factory.mktemp("watch")) as served:
        yield served


@contextmanager
def running(folder: Path) -> Iterator[Served]:
    """Run a server, and stop it."""
    served = Served(folder, PausingClock())
    served.start()
    yield served
    served.stop()


@contextmanager
def watching(
    stub: CheckoutServiceStub,
    **request: Any,  # noqa: ANN401 - any field
) -> Iterator[Stream]:
    """Open a stream, and leave it."""
    call: Any = stub.WatchSessions(pb.WatchSessionsRequest(**request), timeout=3 * PATIENCE)
    yield call
    call.cancel()


def until_checkpoint(stream: Stream) -> tuple[list[SessionChange], str]:
    """Return what comes before the next checkpoint, and its cursor."""
    found: list[SessionChange] = []
    for message in stream:
        found += message.changes
        if not message.changes:
            return found, message.cursor
    raise AssertionError("the stream has ended")


def changes(stream: Stream, number: int) -> list[SessionChange]:
    """Return the next changes."""
    found: list[SessionChange] = []
    while len(found) < number:
        found += next(stream).changes
    return found


def created(stub: CheckoutServiceStub) -> Session:
    """Create a session."""
    return stub.CreateSession(first()).session


def pay(served: Served, session_id: str) -> None:
    """Have a session paid."""
    event = {"id": session_id, "session": session_id, "payment": session_id, "status": "PAID"}
    body, headers = msgspec.json.encode(event), {"signature": "good"}
    served.run(served.rules.receive_webhook("scripted", "default", headers, body))


def test_a_stream_tells_how_things_stand_and_what_changes(
    served: Served, grpc_stub: CheckoutServiceStub
) -> None:
    """The snapshot has whole sessions; each change its version, its types, its time and the session."""
    before = created(grpc_stub)
    with watching(grpc_stub, provider="scripted") as stream:
        snapshot, cursor = until_checkpoint(stream)
        pay(served, before.session_id)
        (paid,) = changes(stream, 1)
    (found,) = [one for one in snapshot if one.session_id == before.session_id]
    assert (found.session, found.version) == (before, before.version)
    assert list(found.types) == [SessionChange.TYPE_SNAPSHOT]
    assert cursor
    assert (paid.session_id, paid.version) == (before.session_id, before.version + 1)
    assert list(paid.types) == [
        SessionChange.TYPE_PAYMENT_PAID,
        SessionChange.TYPE_SESSION_COMPLETED,
    ]
    assert (
        paid.session
        == grpc_stub.GetSession(pb.GetSessionRequest(session_id=before.session_id)).session
    )
    assert paid.change_time == paid.session.update_time


def test_a_stream_goes_on_from_its_cursor(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """What happened while nobody watched is told first, and without a snapshot."""
    session = created(grpc_stub)
    with watching(grpc_stub) as stream:
        _, cursor = until_checkpoint(stream)
    pay(served, session.session_id)
    with watching(grpc_stub, cursor=cursor) as stream:
        (paid,), last = until_checkpoint(stream)
    with watching(grpc_stub, cursor=last) as stream:
        nothing, _ = until_checkpoint(stream)
    assert (paid.session_id, paid.version) == (session.session_id, session.version + 1)
    assert nothing == []


def test_leaving_the_states_is_marked(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """A session that is in none of the wanted states any more says so."""
    session = created(grpc_stub)
    with watching(grpc_stub, states=[Session.STATE_OPEN]) as stream:
        snapshot, _ = until_checkpoint(stream)
        pay(served, session.session_id)
        (gone,) = changes(stream, 1)
    assert session.session_id in {one.session_id for one in snapshot}
    assert not any(one.outside for one in snapshot)
    assert (gone.session_id, gone.outside) == (session.session_id, True)
    assert gone.session.state == Session.STATE_COMPLETED


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        ({"session_id": "cs_none"}, grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"),
        (
            {"session_id": "cs_1", "live": False},
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_REQUEST",
        ),
        ({"states": [0]}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ({"cursor": "nonsense"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (
            {"cursor": Cursor(b"another store", 1).text()},
            grpc.StatusCode.OUT_OF_RANGE,
            "CURSOR_OUT_OF_RANGE",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(
    grpc_stub: CheckoutServiceStub,
    request_: dict[str, Any],
    code: grpc.StatusCode,
    reason: str,
) -> None:
    """A stream that cannot begin fails like any other call, with its reason."""
    with watching(grpc_stub, **request_) as stream:
        refusal = refused(lambda: next(stream))
    assert (refusal.code, refusal.info["reason"]) == (code, reason)


def test_what_excludes_each_other_is_named(grpc_stub: CheckoutServiceStub) -> None:
    """Conditions beside the one session are refused by name."""
    with watching(grpc_stub, session_id="cs_1", provider="dodo", reference_id="r") as stream:
        refusal = refused(lambda: next(stream))
    assert refusal.fields == ["session_id", "provider", "reference_id"]


def test_a_caller_who_leaves_frees_everything(tmp_path: Path) -> None:
    """A stream counts while it is open; once its caller has gone, nothing of it is left."""
    with running(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        stub = CheckoutServiceStub(channel)
        with watching(stub) as stream:
            until_checkpoint(stream)
            assert served.count("checkout_watchers_open") == 1
            created(stub)
            changes(stream, 2)
        line = served.line("WatchSessions")
        assert (line["code"], line["level"]) == ("CANCELLED", "info")
        assert served.count("checkout_watchers_open") == 0
        assert served.count("checkout_watch_changes_sent_total") == 2


def test_a_reader_that_falls_behind_is_told_so(served: Served) -> None:
    """What was under way arrives, and then the reason, although a message could not be written."""
    small_window = [("grpc.http2.bdp_probe", 0)]
    with (
        grpc.insecure_channel(served.address, small_window) as channel,
        watching(CheckoutServiceStub(channel)) as stream,
    ):
        _, cursor = until_checkpoint(stream)
        large = pb.WatchSessionsResponse(cursor=cursor)
        large.changes.add(session_id="x" * 60_000)
        told = Told(cursor=Cursor(b"", 0), wire=large.SerializeToString())
        (watcher,) = served.rules.watch_sessions.feed.watchers
        served.run(overwhelm(watcher, told))
        refusal = refused(lambda: list(stream))
    assert (refusal.code, refusal.info["reason"]) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "WATCHER_TOO_SLOW",
    )
    assert "RetryInfo" in refusal.details


async def overwhelm(watcher: Watcher, told: Told) -> None:
    """Tell a watcher more than a connection takes, and more than may wait while nobody reads."""
    watcher.hear([told] * BACKLOG)
    while watcher.has_news:
        await asyncio.sleep(0)
    watcher.hear([told] * BACKLOG)
    watcher.hear([told])


def test_a_stop_ends_streams_at_once(tmp_path: Path) -> None:
    """A server that stops tells every watcher to go elsewhere, and does not wait for them to leave."""
    with running(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        stub = CheckoutServiceStub(channel)
        with watching(stub) as stream:
            until_checkpoint(stream)
            served.run(served.server.turn_away())
            refusal = refused(lambda: next(stream))
    assert (refusal.code, refusal.info["reason"]) == (
        grpc.StatusCode.UNAVAILABLE,
        "SHUTTING_DOWN",
    )
    assert "RetryInfo" in refusal.details


@needs_grpcurl
@pytest.mark.slow
def test_grpcurl_prints_what_is_told(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """The first call that anybody tries shows the session, what is known of it, and a cursor."""
    session_id = created(grpc_stub).session_id
    method, request = "checkout.v1.CheckoutService/WatchSessions", {"session_id": session_id}
    command = [grpcurl_binary(), "-plaintext", "-d", json.dumps(request), served.address, method]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shown:
        assert shown.stdout
        message = json.loads(first_object(shown.stdout))
        shown.kill()
    (change,) = message["changes"]
    assert (change["sessionId"], change["types"]) == (session_id, ["TYPE_SNAPSHOT"])
    assert change["session"]["state"] == "STATE_OPEN"
    assert message["cursor"]


def first_object(lines: Iterable[str]) -> str:
    """Read up to the end of the first printed message."""
    text = ""
    for line in lines:
        text += line
        if line == "}\n":
            break
    return text
