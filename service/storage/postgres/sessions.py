"""Statements on sessions, their request keys and the providers' references to them."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict
from service.core.events import Fact
from service.core.inbox import InboxEvent
from service.core.model import Session
from service.core.record import Record, RequestKey, due_time
from service.storage.facts import columns
from service.storage.postgres.engine import CONFLICT, Database
from service.storage.postgres.texts import kept, kept_all, pairs, told
from service.storage.rows import (
    StoredRecord,
    decode_record,
    decode_session,
    encode_attempt,
    encode_record,
    microseconds,
)

_RECORD = "s.body, s.private, s.attempt, s.caller, s.request_id, s.fingerprint"

_FIND = f"SELECT {_RECORD} FROM sessions AS s WHERE session_id = $1"  # noqa: S608 - both parts stand here

_FIND_MANY = "SELECT body, private FROM sessions WHERE session_id = ANY ($1::text[])"

_FIND_BY_REQUEST = f"""
    SELECT {_RECORD} FROM request_keys AS k JOIN sessions AS s ON s.session_id = k.session_id
    WHERE k.caller = $1 AND k.request_id = $2
"""  # noqa: S608 - both parts stand here

_FIND_BY_REFERENCE = f"""
    SELECT {_RECORD}
    FROM unnest($3::text[]) WITH ORDINALITY AS asked (reference, place)
    JOIN provider_refs AS r
        ON r.provider = $1 AND r.account = $2 AND r.reference = asked.reference
    JOIN sessions AS s ON s.session_id = r.session_id
    ORDER BY asked.place LIMIT 1
"""  # noqa: S608 - both parts stand here

# Whoever else takes the key at this moment is waited for: it is taken or free, never in between.
_CREATE = """
    WITH taken AS (
        INSERT INTO request_keys (caller, request_id, session_id)
        SELECT $1::text, $2::text, $3::text WHERE $1::text IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING 1
    ), made AS (
        INSERT INTO sessions (
            caller, request_id, session_id, provider, account, live, reference_id, create_time,
            metadata, fingerprint, state, payment_status, due_time, version, attempt, body, private
        )
        SELECT $1, $2, $3, $4::text, $5::text, $6::boolean, $7::text, $8::bigint, $9::text[],
            $10::bytea, $11::text, $12::text, $13::bigint, $14::bigint, $15::text, $16::text, $17::text
        WHERE $1::text IS NULL OR EXISTS (SELECT FROM taken)
        RETURNING 1
    ), told AS (
        INSERT INTO timeline (session_id, version, facts)
        SELECT $3, $14, $18::text FROM made WHERE $18::text IS NOT NULL
    ), fed AS (
        INSERT INTO feed (session_id, version, types, time)
        SELECT $3, $14, $19::text, $20::bigint FROM made WHERE $19::text IS NOT NULL
    )
    SELECT count(*) FROM made
"""

# The session's row is locked before anything is written, and in its newest version: what does not
# hold of it then writes nothing. Only what waits for a reference can be met after that.
_SAVE = f"""
    WITH locked AS (
        SELECT 1 FROM sessions WHERE session_id = $1::text AND version = $2::bigint FOR UPDATE
    ), stored AS (
        INSERT INTO inbox (provider, account, event_id, event_type, received, session_id, body)
        SELECT $13::text, $14::text, $17::text, $18::text, $19::bigint, $1, $20::bytea
        FROM locked WHERE $17::text IS NOT NULL
        ON CONFLICT (provider, account, event_id) DO UPDATE SET
            event_type = excluded.event_type, received = excluded.received, body = excluded.body,
            session_id = excluded.session_id, facts = NULL, payment_time = NULL, private = NULL
            WHERE inbox.session_id IS NULL
        RETURNING event_id, awaited
    ), accepted AS (
        SELECT 1 FROM locked WHERE $17::text IS NULL OR EXISTS (SELECT FROM stored)
    ), saved AS (
        UPDATE sessions SET
            metadata = $3::text[], fingerprint = $4::bytea, state = $5::text,
            payment_status = $6::text, due_time = $7::bigint, version = $8::bigint,
            attempt = $9::text, body = $10::text, private = $11::text, reference_id = $12::text,
            claimed_until = NULL
        WHERE session_id = $1 AND EXISTS (SELECT FROM accepted)
    ), told AS (
        INSERT INTO timeline (session_id, version, facts)
        SELECT $1, $8, $21::text FROM accepted WHERE $21::text IS NOT NULL
    ), fed AS (
        INSERT INTO feed (session_id, version, types, time)
        SELECT $1, $8, $22::text, $23::bigint FROM accepted WHERE $22::text IS NOT NULL
    ), matched AS (
        UPDATE inbox SET session_id = $1, facts = NULL, payment_time = NULL, private = NULL
        WHERE provider = $13 AND account = $14 AND event_id = ANY ($16::text[])
            AND event_id IS DISTINCT FROM $17 AND session_id IS NULL
            AND EXISTS (SELECT FROM accepted)
        RETURNING event_id, awaited
    ), met AS (
        SELECT event_id, awaited FROM stored UNION ALL SELECT event_id, awaited FROM matched
    ), named AS (
        SELECT unnest($15::text[]) AS reference FROM accepted
        UNION SELECT unnest(awaited) FROM met
    ), linked AS (
        INSERT INTO provider_refs AS r (provider, account, reference, session_id)
        SELECT $13, $14, reference, CASE WHEN reference = ANY ($15) THEN $1 END
        FROM named ORDER BY reference
        ON CONFLICT (provider, account, reference) DO UPDATE SET
            session_id = CASE
                WHEN r.waiting <@ ARRAY(SELECT event_id FROM met) THEN excluded.session_id
            END,
            waiting = ARRAY(SELECT unnest(r.waiting) EXCEPT SELECT event_id FROM met)
            WHERE r.session_id IS NULL
        RETURNING reference, waiting
    )
    SELECT CASE
        WHEN EXISTS (SELECT FROM accepted) THEN CASE
            WHEN EXISTS (SELECT FROM linked WHERE reference = ANY ($15) AND waiting <> '{{}}')
            THEN refuse('{CONFLICT}') ELSE 'saved'
        END
        WHEN EXISTS (SELECT FROM locked) OR EXISTS (
            SELECT FROM inbox
            WHERE provider = $13 AND account = $14 AND event_id = $17 AND session_id IS NOT NULL
        ) THEN 'known'
        ELSE 'stale'
    END
"""  # noqa: S608 - both parts stand here


async def find(database: Database, session_id: str) -> Record | None:
    """Read the record of a session."""
    return _only(await database.read(_FIND, kept(session_id)))


async def find_many(database: Database, session_ids: Sequence[str]) -> Sequence[Session]:
    """Read sessions by their ids."""
    rows = await database.read(_FIND_MANY, kept_all(session_ids))
    return [decode_session(body, private) for body, private in rows]


async def find_by_request(database: Database, key: RequestKey) -> Record | None:
    """Read the record that holds a request key."""
    return _only(await database.read(_FIND_BY_REQUEST, kept(key.caller), kept(key.request_id)))


async def find_by_reference(
    database: Database, provider: str, account: str, references: Sequence[str]
) -> Record | None:
    """Read the record of the first reference that is known."""
    asked = [kept(reference) for reference in references]
    return _only(await database.read(_FIND_BY_REFERENCE, provider, account, asked))


async def create(database: Database, record: Record, facts: Sequence[Fact]) -> None:
    """Insert a record and its request key, and begin its timeline."""
    session, key = record.session, record.key
    made = await database.write(
        _CREATE,
        key and kept(key.caller),
        key and kept(key.request_id),
        session.session_id,
        session.provider,
        session.account,
        session.live,
        kept(session.reference_id) or None,
        microseconds(session.create_time),
        *changing(record),
        *columns(facts),
    )
    if not made:
        raise RequestIdTaken


async def save(
    database: Database,
    record: Record,
    *,
    expected_version: int,
    references: Sequence[str],
    event: InboxEvent | None,
    matched: Sequence[str],
    facts: Sequence[Fact],
) -> None:
    """Replace a record, link references to it, store an event and match others."""
    session = record.session
    outcome = await database.write(
        _SAVE,
        session.session_id,
        expected_version,
        *changing(record),
        kept(session.reference_id) or None,
        session.provider,
        session.account,
        kept_all(references),
        kept_all(matched),
        *_news(event),
        *columns(facts),
    )
    if outcome == "known":
        raise EventKnown
    if outcome != "saved":
        raise StoreConflict


def _news(event: InboxEvent | None) -> tuple[object, ...]:
    if event is None:
        return (None, None, None, None)
    received = microseconds(event.received)
    return (kept(event.event_id), kept(event.event_type), received, event.body)


def decoded(rows: Sequence[asyncpg.Record]) -> list[Record]:
    """Return the records of rows of public and personal part, attempt, caller, request id and fingerprint."""
    return [decode_record(stored(*row)) for row in rows]


def stored(*row: Any) -> StoredRecord:  # noqa: ANN401 - the driver's own types
    """Return a row of these columns as it would be if PostgreSQL took every text."""
    body, private, attempt, caller, request_id, fingerprint = row
    key = (caller and told(caller), request_id and told(request_id))
    return body, private, attempt, *key, fingerprint


def _only(rows: Sequence[asyncpg.Record]) -> Record | None:
    return next(iter(decoded(rows)), None)


def changing(record: Record) -> tuple[object, ...]:
    """Return the columns that change with a record, in the order of the statements above."""
    session, due = record.session, due_time(record)
    return (
        pairs(session.metadata),
        record.fingerprint,
        session.state.value,
        session.payment_status.value,
        None if due is None else microseconds(due),
        session.version,
        encode_attempt(record.attempt),
        *encode_record(record),
    )
