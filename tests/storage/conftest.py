"""A migrated database for each test, and the store on it whatever the URL says."""

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from service.core.ports import Store
from service.storage.location import sqlite_path
from service.storage.migrate import migrate
from service.storage.registry import open_store
from tests.storage.suite import Reopen


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
async def store(url: str) -> AsyncIterator[Store]:
    """Open a new store."""
    opened = await open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
async def reopen(url: str, store: Store) -> AsyncIterator[Reopen]:
    """Close the store and open another on the same data."""
    again: list[Store] = []

    async def close_and_open() -> Store:
        await store.close()
        again.append(await open_store(url))
        return again[-1]

    yield close_and_open
    for opened in again:
        await opened.close()


@pytest.fixture
def numbers() -> Iterator[int]:
    """Provide numbers nobody has used."""
    return count(1)
