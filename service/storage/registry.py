"""Which store a URL stands for."""

from pathlib import Path

from service.core.ports import Store
from service.storage.connections import USUAL, Connections
from service.storage.location import place_of
from service.storage.sqlite.store import SqliteStore


async def open_store(url: str, connections: Connections = USUAL) -> Store:
    """Open the store of a URL, which must be migrated and, where it is a file, in nobody else's use.

    `connections` are for one on a server.
    Raises ValueError for a URL of no known store, StoreUnavailable where it cannot be opened.
    """
    place = place_of(url)
    if isinstance(place, Path):
        return SqliteStore.open(place)
    # Whoever keeps sessions in a file need not pay for the driver of a server.
    from service.storage.postgres.store import PostgresStore  # noqa: PLC0415

    return await PostgresStore.open(place, connections)
