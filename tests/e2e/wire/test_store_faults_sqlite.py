"""A SQLite file that cannot grow, is held, removed, read-only, cut short or damaged."""

import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.wire.health import NOT_SERVING, SERVING
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account, running_provider
from tests.e2e.wire.requests import fresh_id, metrics
from tests.e2e.wire.test_start_refused import refusal
from tests.e2e.wire.till import Outage, Session, Till, running_till, unavailable, until
from tests.e2e.wire.webhooks import payment_event, signed

pytestmark = pytest.mark.slow

DAMAGE = "the store is damaged: database disk image is malformed"
UNPRIVILEGED = (sys.executable, "-m", "tests.e2e.wire.unprivileged")


class Place(NamedTuple):
    """A service and the file that it keeps its sessions in."""

    till: Till
    file: Path


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Run a provider that is well."""
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def place(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run a service."""
    folder = tmp_path_factory.mktemp("till")
    with running_till(folder, provider) as till:
        yield Place(till, folder / "checkout.db")


def reasons(till: Till) -> set[object]:
    """Return why the service was said to be unwell."""
    return {line["reason"] for line in till.service.log("health.changed")}


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Let no file of the service take another byte."""
    pid = place.till.service.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the file as somebody does who writes to it with SQLite's own tools."""
    with closing(sqlite3.connect(place.file, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        yield
        somebody.execute("ROLLBACK")


@contextmanager
def removed(place: Place) -> Iterator[None]:
    """Put the file elsewhere, and back in the end."""
    elsewhere = place.file.with_name("elsewhere")
    place.file.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(place.file)


@contextmanager
def replaced(place: Place) -> Iterator[None]:
    """Put a copy in the file's place, and the file back in the end."""
    with removed(place):
        shutil.copy(place.file.with_name("elsewhere"), place.file)
        yield


FAULTS: dict[str, Callable[[Place], AbstractContextManager[None]]] = {
    "full": full,
    "locked": locked,
    "removed": removed,
    "replaced": replaced,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_unwritable(place: Place, fault: str) -> None:
    """What cannot be written changes nothing, while everything can be read, and writing resumes by itself."""
    outage = Outage(place.till)
    with FAULTS[fault](place):
        outage.stores_nothing()
        outage.reads()
    outage.is_over()


def test_slow(place: Place) -> None:
    """Callers wait some seconds for a file that somebody else holds, and are served then."""
    till = place.till
    till.provider.reset()
    with ThreadPoolExecutor(4) as callers:
        with locked(place):
            calls = [callers.submit(till.create, fresh_id()) for _ in range(4)]
            until(lambda: in_flight(till) > 0, "no call came")
            assert not any(call.done() for call in calls)
        assert {call.result().state for call in calls} == {Session.STATE_OPEN}
    assert len(till.provider.bodies) == 4


def in_flight(till: Till) -> float:
    """Return how many calls the service is at."""
    told = metrics(till.service)
    return sum(n for (name, _), n in told.items() if name == "checkout_grpc_calls_in_flight")


def stopped(provider: Provider, folder: Path) -> tuple[Path, Session]:
    """Run a service until it has a session, and return its file."""
    provider.reset()
    with running_till(folder, provider) as till:
        session = till.create(fresh_id())
        assert till.service.stop() == 0
    return folder / "checkout.db", session


def cut_short(file: Path) -> None:
    """Take the second half of a file away."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    """Write something else over the beginning of a file."""
    with file.open("r+b") as opened:
        opened.write(b"\0" * 4096)


@pytest.mark.parametrize("harm", [cut_short, overwritten])
def test_a_start_on_a_broken_file(
    provider: Provider, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """A service does not start on a file that it cannot read, says so in a line, and leaves it as it is."""
    file, _ = stopped(provider, tmp_path)
    harm(file)
    before = file.read_bytes()
    (problem,) = refusal(tmp_path, account(provider.url), SERVE_ACCOUNTS)
    assert problem.startswith(f"Error: The store {file} cannot be read: ")
    assert file.read_bytes() == before


def test_a_start_on_a_read_only_file(provider: Provider, tmp_path: Path) -> None:
    """A service does not start on a file that it may not write, and says so in a line."""
    file, _ = stopped(provider, tmp_path)
    file.chmod(0o400)
    try_it = subprocess.run([*UNPRIVILEGED, "/usr/bin/test", "-w", file], check=False)
    if try_it.returncode == 0:
        pytest.skip("this user may write whatever it wants")
    (problem,) = refusal(tmp_path, account(provider.url), (*UNPRIVILEGED, *SERVE_ACCOUNTS))
    assert problem == f"Error: The store {file} must not be written by this user."
    file.chmod(0o600)
    with running_till(tmp_path, provider) as till:
        assert till.readiness() == 200


def test_a_start_on_a_held_file(provider: Provider, tmp_path: Path) -> None:
    """A service that starts while somebody else writes to its file takes calls once it may write itself."""
    file, session = stopped(provider, tmp_path)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with running_till(tmp_path, provider) as till:
            assert till.readiness() == 503
            assert till.read(session.session_id) == session
            somebody.execute("ROLLBACK")
            till.wait_for_health(SERVING)
            assert till.create(fresh_id()).state == Session.STATE_OPEN


def test_a_page_that_is_damaged(provider: Provider, tmp_path: Path) -> None:
    """Once a damage is met nothing is written any more; with the back-up in its place all of that is there."""
    file, session = stopped(provider, tmp_path)
    backup = Path(shutil.copy(file, tmp_path / "backup"))
    with closing(sqlite3.connect(file)) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sessions'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xa5" * size)
    payment = signed(payment_event(session.session_id))
    with running_till(tmp_path, provider) as till:
        unavailable(lambda: till.read(session.session_id))
        told = unavailable(lambda: till.create(fresh_id()))
        assert told.message == "The store is damaged: database disk image is malformed."
        assert till.deliver(payment) == 503
        till.wait_for_health(NOT_SERVING)
        assert till.readiness() == 503
        until(lambda: DAMAGE in reasons(till), "nobody told why")
    for name in ("checkout.db", "checkout.db-wal", "checkout.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    backup.rename(file)
    with running_till(tmp_path, provider) as till:
        assert till.read(session.session_id) == session
        assert till.deliver(payment) == 200
        assert till.read(session.session_id).state == Session.STATE_COMPLETED
