"""Which store a URL stands for; nobody loads the engine and the driver of the other."""
# ruff: noqa: PLC0415

from pathlib import Path

from service.core.ports import Store
from service.storage.connections import USUAL, Connections
from service.storage.location import place_of


async def open_store(url: str, connections: Connections = USUAL) -> Store:
    """Open the store of a URL, which must be migrated and, where it is a file, in nobody else's use.

    `connections` are for one on a server.
    Raises ValueError for a URL of no known store, StoreUnavailable where it cannot be opened.
    """
    place = place_of(url)
    if isinstance(place, Path):
        from service.storage.sqlite.store import SqliteStore

        return SqliteStore.open(place)
    from service.storage.postgres.store import PostgresStore

    return await PostgresStore.open(place, connections)
