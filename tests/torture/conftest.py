"""What the tests of crashes share: a nursery of services, a provider that counts, and the stores."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.torture.keeper import kept_server
from tests.torture.lives import NOTHING, Lives
from tests.torture.nursery import Nursery, running_nursery
from tests.torture.seller import CountingProvider, counting_provider
from tests.torture.stores import SQLITE, Databases, stored_at


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """A process that starts services, for all tests of a module."""
    with running_nursery() as running:
        yield running


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostgreSQL server, for all tests of this process."""
    with kept_server() as server:
        yield Databases(server)


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[str]:
    """The URL of a migrated database that holds nothing."""
    async with databases.fresh() as url:
        yield url


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Where a service keeps its sessions: its folder, or a database in a test that runs on both."""
    if getattr(request, "param", SQLITE) == SQLITE:
        return NOTHING
    return stored_at(request.getfixturevalue("database"))


@pytest.fixture
async def provider() -> AsyncIterator[CountingProvider]:
    """A provider that has seen nothing."""
    async with counting_provider() as running:
        yield running


@pytest.fixture
def lives(
    nursery: Nursery, provider: CountingProvider, tmp_path: Path, store: Mapping[str, str]
) -> Lives:
    """A service with an account there, and an empty store."""
    return Lives(nursery, tmp_path, {**provider.settings, **store})
