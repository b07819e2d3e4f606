"""The listing of unmatched payments: newest first, in time that depends on the page and not on the store."""

import asyncpg

from service.core.unmatched import UnmatchedPayment, UnmatchedQuery
from service.storage.postgres.engine import Database
from service.storage.postgres.inbox import decode_facts
from service.storage.postgres.texts import told
from service.storage.rows import microseconds, moment

_FIRST = -(2**63)
_LAST = 2**63 - 1

# Every account there is, each found by one step in the index from the one before; of each no more
# is read than fits on the page.
_LIST = """
    WITH RECURSIVE accounts AS (
        (
            SELECT provider, account FROM inbox WHERE session_id IS NULL
            ORDER BY provider, account LIMIT 1
        )
        UNION ALL
        SELECT n.provider, n.account FROM accounts AS a CROSS JOIN LATERAL (
            SELECT provider, account FROM inbox AS i
            WHERE i.session_id IS NULL AND (i.provider, i.account) > (a.provider, a.account)
            ORDER BY i.provider, i.account LIMIT 1
        ) AS n
    )
    SELECT found.* FROM accounts AS a CROSS JOIN LATERAL (
        SELECT provider, account, event_id, event_type, received, position, facts, payment_time,
            private IS NULL AS reduced
        FROM inbox AS i
        WHERE i.session_id IS NULL AND i.provider = a.provider AND i.account = a.account
            AND i.received >= $3 AND i.received < $4 AND (i.received, i.position) < ($5, $6)
        ORDER BY i.received DESC, i.position DESC LIMIT $7
    ) AS found
    WHERE $1 IN ('', a.provider) AND $2 IN ('', a.account)
    ORDER BY received DESC, position DESC LIMIT $7
"""


async def list_unmatched(database: Database, query: UnmatchedQuery) -> list[UnmatchedPayment]:
    """Read the latest unmatched events of which all conditions hold."""
    start, end, before = query.received_from, query.received_to, query.before
    rows = await database.read(
        _LIST,
        query.provider,
        query.account,
        _FIRST if start is None else microseconds(start),
        _LAST if end is None else microseconds(end),
        microseconds(before[0]) if before else _LAST,
        before[1] if before else _LAST,
        query.limit,
    )
    return [_decoded(row) for row in rows]


def _decoded(row: asyncpg.Record) -> UnmatchedPayment:
    provider, account, event_id, event_type, received, position, facts, payment_time, reduced = row
    return UnmatchedPayment(
        provider=provider,
        account=account,
        event_id=told(event_id),
        event_type=told(event_type),
        received=moment(received),
        position=position,
        facts=decode_facts(facts, payment_time),
        reduced=reduced,
    )
