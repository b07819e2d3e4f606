"""The lock: one process at a time, and none that is dead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.core.errors import StoreUnavailable
from service.storage.sqlite.lock import StoreLock

HOLD = """
import sys
from pathlib import Path
from service.storage.sqlite.lock import StoreLock
lock = StoreLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    """A lock that is held is refused, naming the process that holds it."""
    database = tmp_path / "store.db"
    with StoreLock(database), pytest.raises(StoreUnavailable) as refused:
        StoreLock(database)
    assert f"in use by the process with id {os.getpid()}." in str(refused.value)
    assert str(database) in str(refused.value)


def test_released_lock_is_free(tmp_path: Path) -> None:
    """A lock can be taken again once released."""
    for _ in range(2):
        with StoreLock(tmp_path / "store.db"):
            pass


def test_two_names_share_a_lock(tmp_path: Path) -> None:
    """A link to a database is locked with it."""
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "store.db")
    with StoreLock(tmp_path / "store.db"), pytest.raises(StoreUnavailable):
        StoreLock(link)


def test_lock_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else may open the lock's file, and so keep the service from starting."""
    with StoreLock(tmp_path / "store.db"):
        assert (tmp_path / "store.db.lock").stat().st_mode & 0o777 == 0o600


def test_folder_that_is_missing(tmp_path: Path) -> None:
    """A lock that cannot be made says why."""
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        StoreLock(tmp_path / "none" / "store.db")


def test_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    """A process that was killed holds nothing."""
    database = tmp_path / "store.db"
    command = [sys.executable, "-c", HOLD, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable, match=f"id {holder.pid}\\."):
            StoreLock(database)
        holder.kill()
        holder.wait()
        StoreLock(database).release()
