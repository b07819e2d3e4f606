"""What the doctor says of the store, and that it leaves it as it is."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.doctor import store
from service.doctor.findings import Level
from service.storage.migrate import migrate
from service.storage.revision import required_revision
from service.storage.sqlite.lock import StoreLock
from tests.doctor.reports import contents, report
from tests.processes import running
from tests.test_standalone import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store as `checkout migrate` leaves it."""
    path = tmp_path / "checkout.db"
    migrate(f"sqlite:///{path}")
    return path


def test_store_is_described(path: Path) -> None:
    """Revision and room are told, and no byte is changed."""
    before = contents(path.parent)
    found = report(path.parent)
    assert found["store"].level is Level.OK
    assert found["store"].text == f"{path} is at revision {required_revision()}"
    assert found["store's disk"].text.endswith("MiB free")
    assert contents(path.parent) == before


def test_missing_store_is_not_made(tmp_path: Path) -> None:
    """A store that is not there yet is no fault."""
    found = report(tmp_path / "below" / "further")
    assert found["store"].level is Level.OK
    assert "is not there yet; `checkout serve` makes it" in found["store"].text
    assert list(tmp_path.iterdir()) == []


def test_store_of_a_newer_version_is_told(path: Path) -> None:
    """A revision nobody here knows is told, and left."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '999'")
        database.commit()
    before = contents(path.parent)
    finding = report(path.parent)["store"]
    assert finding.level is Level.FAIL
    assert "at revision 999, which a newer version of this service wrote; run that" in finding.text
    assert contents(path.parent) == before


def test_store_without_tables_is_no_fault(tmp_path: Path) -> None:
    """A start brings an old store to the newest revision, an empty one too."""
    (tmp_path / "checkout.db").touch()
    finding = report(tmp_path)["store"]
    assert finding.level is Level.OK
    assert f"`checkout serve` brings it to {required_revision()}" in finding.text


def test_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """Something else in the store's place is told without a trace."""
    (tmp_path / "checkout.db").write_bytes(b"something else " * 100)
    finding = report(tmp_path)["store"]
    assert finding.level is Level.FAIL
    assert "file is not a database; mend its rights, restore a back-up" in finding.text


@pytest.mark.parametrize("name", ["a file in place of the folder", "a folder in place of the file"])
def test_wrong_place_is_told(tmp_path: Path, name: str) -> None:
    """A path that can hold no store is told with what to change."""
    folder = tmp_path / "data"
    if name.startswith("a file"):
        folder.touch()
    else:
        (folder / "checkout.db").mkdir(parents=True)
    finding = report(folder)["store"]
    assert finding.level is Level.FAIL


def test_store_held_by_a_stranger_is_told(path: Path) -> None:
    """A holder that does not answer at our address is in the way of a start."""
    with StoreLock(path):
        before = contents(path.parent)
        found = report(path.parent, CHECKOUT_GRPC_ADDRESS=f"127.0.0.1:{free_port()}")
        assert contents(path.parent) == before
    assert found["store"].level is Level.FAIL
    assert f"in use by the process with id {os.getpid()}, which does not" in found["store"].text


def test_crashed_store_is_left_to_the_next_start(tmp_path: Path) -> None:
    """The logs of a killed process are read and not mended."""
    with running("serve", "--sandbox", folder=tmp_path, until="Stop with") as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    before = contents(tmp_path)
    assert "checkout.db-wal" in before
    found = report(tmp_path)
    assert found["store"].text.endswith(f"at revision {required_revision()}")
    assert contents(tmp_path) == before


def test_link_to_a_store_in_use_is_followed(tmp_path: Path) -> None:
    """Under another name the store is the same, with what stands in its log alone."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "checkout.db").symlink_to(tmp_path / "real" / "checkout.db")
    with running("serve", "--sandbox", folder=tmp_path / "real", until="Stop with") as (process, _):
        found = report(tmp_path / "link")
    assert found["store"].text.endswith(
        f"at revision {required_revision()}, in use by the process with id {process.pid}"
    )


@pytest.mark.parametrize(("limit", "level"), [("FULL", Level.FAIL), ("TIGHT", Level.WARN)])
def test_full_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, level: Level
) -> None:
    """A disk with little room is doubtful, with next to none broken."""
    monkeypatch.setattr(store, limit, 1 << 62)
    assert report(tmp_path)["store's disk"].level is level
