"""Fixtures of the adapters' tests."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.storage.migrate import migrate
from tests.providers.clockwork import Ahead
from tests.providers.sandbox import Place, running_sandbox


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A running sandbox."""
    async with running_sandbox() as place:
        yield place


@pytest.fixture
async def ahead() -> Ahead:
    """The time of the test's own loop, to be put forward."""
    return Ahead(asyncio.get_running_loop())


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated, empty store."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()
