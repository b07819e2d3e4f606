"""A migrated PostgreSQL database, empty for each test."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.storage.migrate import migrate
from tests.storage.postgres.server import Server, running_server

TABLES = (
    "sessions",
    "request_keys",
    "provider_refs",
    "inbox",
    "marks",
    "leases",
    "timeline",
    "feed",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server as slow: to make one takes longer than most tests together."""
    for item in items:
        is_here = item.path.is_relative_to(Path(__file__).parent)
        if is_here and isinstance(item, pytest.Function) and "server" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run one server for all tests of this process."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def migrated_url(server: Server) -> str:
    """Migrate one database from nothing."""
    run(server.url(), "CREATE DATABASE checkout")
    url = server.url("checkout")
    migrate(url)
    return url


@pytest.fixture
def url(migrated_url: str) -> str:
    """Provide the URL of a migrated store that holds nothing."""
    return emptied(migrated_url)


def emptied(url: str) -> str:
    """Delete everything that a store holds, and return its URL."""
    # To truncate so many small tables and their indexes takes ten times as long.
    run(url, "; ".join(f"DELETE FROM {table}" for table in TABLES))
    return url


def run(url: str, statements: str) -> None:
    """Run statements beside the store."""

    async def connected() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    asyncio.run(connected())


def read(url: str, query: str) -> object:
    """Return the one value of a query beside the store."""

    async def connected() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(connected())
