"""Statements on sessions that are old enough to go."""

from collections.abc import Sequence
from datetime import datetime

from service.core.record import Record
from service.core.retention import Place
from service.storage.postgres.engine import Database
from service.storage.postgres.sessions import decoded
from service.storage.rows import microseconds

_FIRST = -(2**63)

_LIST_OLD = """
    SELECT body, private, attempt, caller, request_id, fingerprint FROM sessions
    WHERE create_time < $1 AND (create_time, session_id) > ($2, $3)
    ORDER BY create_time, session_id LIMIT $4
"""

# Rows that somebody else is at are left to the next time. References are locked in one order, as
# others lock them.
_DELETE = """
    WITH old AS (
        SELECT s.session_id, s.caller, s.request_id
        FROM unnest($1::text[], $2::bigint[]) AS read (session_id, version)
        JOIN sessions AS s ON s.session_id = read.session_id AND s.version = read.version
        FOR UPDATE OF s SKIP LOCKED
    ), links AS (
        SELECT r.provider, r.account, r.reference
        FROM provider_refs AS r WHERE r.session_id IN (SELECT session_id FROM old)
        ORDER BY r.provider, r.account, r.reference FOR UPDATE
    ), unlinked AS (
        DELETE FROM provider_refs AS r USING links
        WHERE (r.provider, r.account, r.reference)
            = (links.provider, links.account, links.reference)
    ), freed AS (
        DELETE FROM request_keys AS k USING old
        WHERE k.caller = old.caller AND k.request_id = old.request_id
    ), forgotten AS (
        DELETE FROM timeline AS t USING old WHERE t.session_id = old.session_id
    ), gone AS (
        DELETE FROM sessions AS s USING old WHERE s.session_id = old.session_id RETURNING 1
    )
    SELECT count(*) FROM gone
"""


async def list_old(
    database: Database, created_before: datetime, after: Place | None, limit: int
) -> Sequence[Record]:
    """Read the oldest sessions after a place."""
    time, session_id = (microseconds(after[0]), after[1]) if after else (_FIRST, "")
    before = microseconds(created_before)
    return decoded(await database.read(_LIST_OLD, before, time, session_id, limit))


async def delete(database: Database, records: Sequence[Record]) -> int:
    """Delete sessions that are as they were read; return how many."""
    sessions = [record.session for record in records]
    ids, versions = [one.session_id for one in sessions], [one.version for one in sessions]
    deleted = await database.write(_DELETE, ids, versions)
    return deleted if isinstance(deleted, int) else 0
