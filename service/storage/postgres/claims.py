"""Statements by which processes share work: each is committed before anything is done for what it has claimed."""

from collections.abc import Sequence
from datetime import datetime

from service.storage.postgres.engine import Database
from service.storage.rows import microseconds

# What another process is at, at this moment or under its claim, is left to it.
_CLAIM = """
    WITH due AS (
        SELECT session_id FROM sessions
        WHERE due_time <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
        ORDER BY due_time, session_id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE sessions AS s SET claimed_until = $2 FROM due WHERE s.session_id = due.session_id
        RETURNING s.session_id, s.due_time
    )
    SELECT array_agg(session_id ORDER BY due_time, session_id) FROM claimed
"""

_LOOK_AFTER = """
    INSERT INTO leases AS l (provider, account, holder, held_until) VALUES ($2, $3, $1, $5)
    ON CONFLICT (provider, account) DO UPDATE
        SET holder = excluded.holder, held_until = excluded.held_until
        WHERE l.holder = excluded.holder OR l.held_until <= $4
    RETURNING 1
"""

_RELEASE = "DELETE FROM leases WHERE holder = $1"


async def claim_due(
    database: Database, now: datetime, until: datetime, limit: int
) -> Sequence[str]:
    """Claim sessions whose time has run out and that nobody else has claimed."""
    claimed = await database.write(_CLAIM, microseconds(now), microseconds(until), limit)
    return claimed if isinstance(claimed, list) else []


async def look_after(
    database: Database, holder: str, account: tuple[str, str], now: datetime, until: datetime
) -> bool:
    """Lease an account of a provider, unless somebody else holds it."""
    times = microseconds(now), microseconds(until)
    return bool(await database.write(_LOOK_AFTER, holder, *account, *times))


async def release(database: Database, holder: str) -> None:
    """Give up every lease of a holder."""
    await database.write(_RELEASE, holder)
