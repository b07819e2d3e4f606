"""Statements by which processes share accounts: a lease is committed before anything is done for what it names."""

from datetime import datetime

from service.storage.postgres.engine import Database
from service.storage.rows import microseconds

_LOOK_AFTER = """
    INSERT INTO leases AS l (provider, account, holder, held_until) VALUES ($2, $3, $1, $5)
    ON CONFLICT (provider, account) DO UPDATE
        SET holder = excluded.holder, held_until = excluded.held_until
        WHERE l.holder = excluded.holder OR l.held_until <= $4
    RETURNING 1
"""

_RELEASE = "DELETE FROM leases WHERE holder = $1"


async def look_after(
    database: Database, holder: str, account: tuple[str, str], now: datetime, until: datetime
) -> bool:
    """Lease an account of a provider, unless somebody else holds it."""
    times = microseconds(now), microseconds(until)
    return bool(await database.write(_LOOK_AFTER, holder, *account, *times))


async def release(database: Database, holder: str) -> None:
    """Give up every lease of a holder."""
    await database.write(_RELEASE, holder)
