"""A migrated database for each test."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from service.storage.location import sqlite_path
from service.storage.migrate import migrate


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one database from nothing; tests work on copies."""
    url = f"sqlite:///{tmp_path_factory.mktemp('migrated')}/store.db"
    migrate(url)
    return sqlite_path(url)


@pytest.fixture
def path(migrated: Path, tmp_path: Path) -> Path:
    """Provide a migrated database file nobody else uses."""
    return Path(shutil.copy(migrated, tmp_path / "store.db"))


@pytest.fixture
def url(path: Path) -> str:
    """Provide the URL of a migrated store."""
    return f"sqlite:///{path}"


@pytest.fixture
def numbers() -> Iterator[int]:
    """Provide numbers nobody has used."""
    return count(1)
