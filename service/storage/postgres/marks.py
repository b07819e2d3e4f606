"""How far each account has been looked through."""

from datetime import datetime

from service.storage.postgres.engine import Database
from service.storage.rows import microseconds, moment

_READ = "SELECT looked_until FROM marks WHERE provider = $1 AND account = $2"
_WRITE = """
    INSERT INTO marks (provider, account, looked_until) VALUES ($1, $2, $3)
    ON CONFLICT (provider, account) DO UPDATE SET looked_until = excluded.looked_until
"""


async def read(database: Database, provider: str, account: str) -> datetime | None:
    """Read the mark of an account."""
    rows = await database.read(_READ, provider, account)
    return moment(rows[0][0]) if rows else None


async def write(database: Database, provider: str, account: str, at: datetime) -> None:
    """Move the mark of an account."""
    await database.write(_WRITE, provider, account, microseconds(at))
