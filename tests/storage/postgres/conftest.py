"""A migrated PostgreSQL database, empty for each test."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from service.storage.migrate import migrate
from tests.storage.postgres.server import Server, running_server

TABLES = "sessions, request_keys, provider_refs, inbox, marks"


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
    run(url, f"TRUNCATE {TABLES}")
    return url


def run(url: str, statement: str) -> list[asyncpg.Record]:
    """Run a statement beside the store."""

    async def connected() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(connected())
