"""The lock files say exactly what is installed, and nothing about where from."""

import re
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

LOCKS = sorted((ROOT / ".requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_names_no_host(lock: Path) -> None:
    """A lock holds for every package index."""
    assert re.findall(r"https?://|file:|--index|--find-links", lock.read_text("utf-8")) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_pins_every_package_by_hash(lock: Path) -> None:
    """What was tested is what is installed."""
    entries = [line for line in lock.read_text("utf-8").splitlines() if re.match(r"[a-z]", line)]
    assert entries
    assert [line for line in entries if not re.match(r"[a-z0-9._-]+==\S+ .*\\$", line)] == []


def versions(name: str) -> dict[str, str]:
    """Read the version each package is locked to."""
    lock = (ROOT / ".requirements" / f"{name}.txt").read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))


def test_locks_agree() -> None:
    """Tests run on the versions the service is shipped with."""
    assert versions("run").items() | versions("tools").items() <= versions("dev").items()
