"""Statements on timelines, and on the feed of all changes."""

from collections.abc import Sequence
from datetime import datetime

from service.core.events import Fact, NumberedEvent, SessionEvent
from service.storage.facts import columns, entries, first_row, numbered
from service.storage.postgres.engine import Database
from service.storage.rows import microseconds

_ADD = "INSERT INTO timeline (session_id, version, facts) VALUES ($1, $2, $3)"

_LIST = """
    SELECT position, version, facts FROM timeline
    WHERE session_id = $1 AND position >= $2 ORDER BY position LIMIT $3
"""

_NUMBER = "SELECT number_events($1)"

_READ = """
    SELECT position, session_id, version, time, types FROM feed
    WHERE position > $1 ORDER BY position LIMIT $2
"""

_RANGE = """
    SELECT coalesce((SELECT min(position) FROM feed), value + 1), value FROM feed_counter
"""

# What is kept has no gaps but those there were: all goes that is before the first young one.
_FORGET = """
    WITH oldest AS (
        SELECT position, time FROM feed WHERE position IS NOT NULL ORDER BY position LIMIT $2
    ), young AS (
        SELECT min(position) AS first FROM oldest WHERE time >= $1
    ), gone AS (
        DELETE FROM feed USING oldest, young
        WHERE feed.position = oldest.position
            AND (young.first IS NULL OR oldest.position < young.first)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""

_STORE_ID = "SELECT value FROM store_meta WHERE name = 'store_id'"


async def add(database: Database, session_id: str, version: int, facts: Sequence[Fact]) -> None:
    """Add facts alone."""
    if facts:
        await database.write(_ADD, session_id, version, columns(facts)[0])


async def list_events(
    database: Database, session_id: str, after: int, limit: int
) -> Sequence[SessionEvent]:
    """Read a part of a timeline."""
    # Each row has an entry at least, and the first one may have been read to its end.
    found = await database.read(_LIST, session_id, first_row(after), limit + 1)
    rows = [(position, version, facts) for position, version, facts in found]
    return entries(session_id, rows, after, limit)


async def number(database: Database, limit: int) -> int:
    """Give positions to changes."""
    return _count(await database.write(_NUMBER, limit))


async def read_events(database: Database, after: int, limit: int) -> Sequence[NumberedEvent]:
    """Read changes of all sessions."""
    return [numbered(*row) for row in await database.read(_READ, after, limit)]


async def event_range(database: Database) -> tuple[int, int]:
    """Read the oldest and the newest position."""
    ((oldest, newest),) = await database.read(_RANGE)
    return oldest, newest


async def forget(database: Database, before: datetime, limit: int) -> int:
    """Delete the oldest of what was numbered."""
    return _count(await database.write(_FORGET, microseconds(before), limit))


async def store_id(database: Database) -> bytes:
    """Read the store's id."""
    ((value,),) = await database.read(_STORE_ID)
    return bytes(value)


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
