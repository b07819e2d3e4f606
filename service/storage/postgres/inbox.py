"""Statements on the inbox of verified events, and on what those without a session wait for."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from service.core.errors import EventKnown
from service.core.events import Fact
from service.core.inbox import InboxEvent
from service.core.unmatched import Facts
from service.core.waiting import Waiting
from service.storage.facts import columns
from service.storage.postgres.engine import CONFLICT, Database
from service.storage.postgres.texts import kept, kept_all, told
from service.storage.rows import microseconds, moment

# An event that had no session, and comes again with one, is as good as new: it waits no more.
_RECEIVE = f"""
    WITH stored AS (
        INSERT INTO inbox (
            provider, account, event_id, event_type, received, session_id, body, facts,
            payment_time, private, awaited
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (provider, account, event_id) DO UPDATE SET
            event_type = excluded.event_type, received = excluded.received, body = excluded.body,
            session_id = excluded.session_id, facts = NULL, payment_time = NULL, private = NULL
            WHERE inbox.session_id IS NULL AND excluded.session_id IS NOT NULL
        RETURNING provider, account, event_id, session_id, awaited
    ), told AS (
        INSERT INTO timeline (session_id, version, facts)
        SELECT $6, $12::bigint, $13::text FROM stored WHERE $13::text IS NOT NULL
    ), noted AS (
        INSERT INTO provider_refs AS r (provider, account, reference, waiting)
        SELECT provider, account, reference,
            CASE WHEN session_id IS NULL THEN ARRAY[event_id] ELSE '{{}}' END
        FROM stored, unnest(awaited) AS reference ORDER BY reference
        ON CONFLICT (provider, account, reference) DO UPDATE SET
            waiting = CASE
                WHEN r.session_id IS NULL THEN array_remove(r.waiting, $3) || excluded.waiting
                ELSE '{{}}'
            END
        RETURNING session_id
    )
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM stored) THEN 'known'
        WHEN $6 IS NULL AND EXISTS (SELECT FROM noted WHERE session_id IS NOT NULL)
        THEN refuse('{CONFLICT}')
        ELSE 'stored'
    END
"""  # noqa: S608 - both parts stand here

_FIND_WAITING = """
    SELECT DISTINCT i.event_id, i.event_type, i.received, i.facts, i.payment_time, i.private
    FROM provider_refs AS r CROSS JOIN unnest(r.waiting) AS one (event_id)
    JOIN inbox AS i ON i.provider = $1 AND i.account = $2 AND i.event_id = one.event_id
    WHERE r.provider = $1 AND r.account = $2 AND r.reference = ANY ($3)
        AND i.private IS NOT NULL
    ORDER BY i.received
"""

# What another process works on at this moment is left to it.
_DELETE_OLD = """
    WITH old AS (
        SELECT provider, account, event_id FROM inbox
        WHERE session_id IS NOT NULL AND received < $1
        ORDER BY received LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM inbox USING old
        WHERE (inbox.provider, inbox.account, inbox.event_id)
            = (old.provider, old.account, old.event_id)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""

_REDUCE_OLD = """
    WITH old AS (
        SELECT provider, account, event_id FROM inbox
        WHERE private IS NOT NULL AND received < $1
        ORDER BY received, position LIMIT $2 FOR UPDATE SKIP LOCKED
    ), reduced AS (
        UPDATE inbox SET event_type = '', body = '', payment_time = NULL, private = NULL
        FROM old
        WHERE (inbox.provider, inbox.account, inbox.event_id)
            = (old.provider, old.account, old.event_id)
        RETURNING inbox.provider, inbox.account, inbox.event_id, inbox.awaited
    ), forgotten AS (
        INSERT INTO provider_refs AS r (provider, account, reference)
        SELECT DISTINCT provider, account, reference
        FROM reduced, unnest(awaited) AS reference ORDER BY provider, account, reference
        ON CONFLICT (provider, account, reference) DO UPDATE SET
            waiting = ARRAY(
                SELECT unnest(r.waiting) EXCEPT SELECT event_id FROM reduced AS d
                WHERE d.provider = r.provider AND d.account = r.account
            )
            WHERE r.session_id IS NULL
    )
    SELECT count(*) FROM reduced
"""

_DELETE_IDLE = """
    WITH idle AS (
        SELECT provider, account, reference FROM provider_refs
        WHERE session_id IS NULL AND waiting = '{}' LIMIT $1 FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM provider_refs AS r USING idle
        WHERE (r.provider, r.account, r.reference)
            = (idle.provider, idle.account, idle.reference)
            AND r.session_id IS NULL AND r.waiting = '{}'
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""

_FACTS = msgspec.json.Decoder(Facts)
_WAITING = msgspec.json.Decoder(Waiting)


async def receive(
    database: Database, event: InboxEvent, version: int, told: Sequence[Fact]
) -> None:
    """Store an event that changes nothing, and tell of it."""
    facts, encode = event.facts, msgspec.json.encode
    paid = facts.payment_time if facts else None
    row = (
        event.provider,
        event.account,
        kept(event.event_id),
        kept(event.event_type),
        microseconds(event.received),
        event.session_id or None,
        event.body,
        facts and encode(msgspec.structs.replace(facts, payment_time=None)).decode(),
        None if paid is None else microseconds(paid),
        event.waiting and encode(event.waiting).decode(),
        kept_all(facts.references if facts else ()),
        version,
        columns(told)[0],
    )
    if await database.write(_RECEIVE, *row) == "known":
        raise EventKnown


async def find_waiting(
    database: Database, provider: str, account: str, references: Sequence[str]
) -> Sequence[InboxEvent]:
    """Read the events that wait for one of the references, each once."""
    rows = await database.read(_FIND_WAITING, provider, account, kept_all(references))
    return [_decoded(provider, account, row) for row in rows]


async def purge(
    database: Database, matched_before: datetime, unmatched_before: datetime, limit: int
) -> int:
    """Delete old matched events and reduce old unmatched ones; return how many."""
    deleted = await _count(database, _DELETE_OLD, microseconds(matched_before), limit)
    before = microseconds(unmatched_before)
    reduced = await _count(database, _REDUCE_OLD, before, limit - deleted)
    await database.write(_DELETE_IDLE, limit)
    return deleted + reduced


def decode_facts(facts: str, payment_time: int | None) -> Facts:
    """Return the facts of two columns."""
    paid = None if payment_time is None else moment(payment_time)
    return msgspec.structs.replace(_FACTS.decode(facts), payment_time=paid)


async def _count(database: Database, statement: str, before: int, limit: int) -> int:
    counted = await database.write(statement, before, limit)
    return counted if isinstance(counted, int) else 0


def _decoded(provider: str, account: str, row: asyncpg.Record) -> InboxEvent:
    event_id, event_type, received, facts, payment_time, private = row
    return InboxEvent(
        provider=provider,
        account=account,
        event_id=told(event_id),
        event_type=told(event_type),
        received=moment(received),
        facts=decode_facts(facts, payment_time),
        waiting=_WAITING.decode(private),
    )
