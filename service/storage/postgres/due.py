"""Statements on sessions whose time has come, and on several of them at once."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from service.core import portions
from service.core.due import Change, Claimed
from service.storage import due
from service.storage.facts import columns
from service.storage.postgres.engine import Database
from service.storage.postgres.sessions import changing, stored
from service.storage.postgres.texts import kept
from service.storage.rows import microseconds

# What another process is at, at this moment or under its claim, is left to it. Nobody waits for the
# disk: a claim that a crash of the server undoes has only kept others away.
_CLAIM = """
    WITH due AS (
        SELECT session_id FROM sessions
        WHERE due_time <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
        ORDER BY due_time, session_id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE sessions AS s SET claimed_until = $2 FROM due WHERE s.session_id = due.session_id
        RETURNING s.due_time, s.session_id, s.body, s.private, s.attempt, s.caller, s.request_id,
            s.fingerprint
    )
    SELECT array_agg(
        ROW(session_id, body, private, attempt, caller, request_id, fingerprint) ORDER BY due_time, session_id
    ), set_config('synchronous_commit', 'off', true)
    FROM claimed
"""

# Rows are locked in the order of their ids, as whoever else locks several would have to wait for
# another, and in their newest version.
_SAVE_EACH = """
    WITH asked AS (
        SELECT * FROM unnest(
            $1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::bigint[],
            $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::text[], $15::bigint[]
        ) AS asked (
            session_id, expected_version, metadata, fingerprint, state, payment_status, due_time,
            version, attempt, body, private, reference_id, facts, types, time
        )
    ), locked AS (
        SELECT a.* FROM asked AS a
        JOIN sessions AS s ON s.session_id = a.session_id AND s.version = a.expected_version
        ORDER BY s.session_id FOR UPDATE OF s
    ), saved AS (
        UPDATE sessions AS s SET
            metadata = ARRAY(SELECT jsonb_array_elements_text(a.metadata::jsonb)),
            fingerprint = a.fingerprint, state = a.state, payment_status = a.payment_status,
            due_time = a.due_time, version = a.version, attempt = a.attempt, body = a.body,
            private = a.private, reference_id = a.reference_id, claimed_until = NULL
        FROM locked AS a WHERE s.session_id = a.session_id
        RETURNING s.session_id, a.version, a.facts, a.types, a.time
    ), told AS (
        INSERT INTO timeline (session_id, version, facts)
        SELECT session_id, version, facts FROM saved WHERE facts IS NOT NULL
    ), fed AS (
        INSERT INTO feed (session_id, version, types, time)
        SELECT session_id, version, types, time FROM saved WHERE types IS NOT NULL
    )
    SELECT array_agg(session_id) FROM saved
"""


async def claim_due(database: Database, now: datetime, until: datetime, limit: int) -> Claimed:
    """Claim sessions whose time has run out and that nobody else has claimed."""
    claimed = await database.write(_CLAIM, microseconds(now), microseconds(until), limit)
    rows = claimed if isinstance(claimed, list) else []
    return await due.read((session_id, stored(*row)) for session_id, *row in rows)


async def save_each(database: Database, changes: Sequence[Change]) -> Sequence[str]:
    """Replace records that are in the expected version; return the ids of the others."""
    if not changes:
        return []
    rows = await portions.each(_row, changes)
    saved = await database.write(_SAVE_EACH, *map(list, zip(*rows, strict=True)))
    done = set(saved) if isinstance(saved, list) else set()
    ids = [change.record.session.session_id for change in changes]
    return [session_id for session_id in ids if session_id not in done]


def _row(change: Change) -> tuple[object, ...]:
    session = change.record.session
    metadata, *others = changing(change.record)
    return (
        session.session_id,
        change.expected_version,
        # An array of arrays would have to have equal ones.
        msgspec.json.encode(metadata).decode(),
        *others,
        kept(session.reference_id) or None,
        *columns(change.facts),
    )
