"""Which store a URL stands for."""

from service.core.ports import Store
from service.storage.location import sqlite_path
from service.storage.sqlite.store import SqliteStore


async def open_store(url: str) -> Store:
    """Open the store of a URL, which must be migrated and in nobody else's use.

    Raises ValueError for a URL of no known store, StoreUnavailable where it cannot be opened.
    """
    return SqliteStore.open(sqlite_path(url))
