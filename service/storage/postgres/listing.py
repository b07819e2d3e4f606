"""Listings: newest first, in time that depends on the page and not on the store."""

from collections.abc import Iterable, Sequence
from enum import Enum

from service.core.model import Session, State
from service.core.ports import SessionQuery
from service.storage.postgres.engine import Database
from service.storage.postgres.texts import kept, pairs
from service.storage.rows import decode_session, microseconds

_FIRST_ID = ""
# Above every id there is: ids are ASCII.
_LAST_ID = "\x7f"
_FIRST_TIME = -(2**63)
_LAST_TIME = 2**63 - 1

# Exact whatever the ids are made of, and read from one index alone.
_ID_RANGE = """
    SELECT min(session_id), max(session_id) FROM sessions
    WHERE create_time >= $1 AND create_time < $2
"""

_CONDITIONS = """
    s.session_id >= $1 AND s.session_id < $2 AND s.create_time >= $3 AND s.create_time < $4
    AND (
        $5::text[] IS NULL
        OR CASE WHEN s.state = 'OPEN' AND s.due_time <= $6 THEN 'EXPIRED' ELSE s.state END
            = ANY ($5)
    )
    AND s.metadata @> $7::text[]
    ORDER BY s.session_id DESC LIMIT $8
"""

_WANTED = """
    $9::text IN ('', {0}.provider) AND $10::text IN ('', {0}.account)
    AND ($11::boolean IS NULL OR {0}.live = $11)
    AND ($12::text[] IS NULL OR {0}.payment_status = ANY ($12))
"""

# Every combination there is, each found by one step in the index from the one before; of each no
# more is read than fits on the page.
_BY_GROUP = f"""
    WITH RECURSIVE groups AS (
        (
            SELECT provider, account, live, state, payment_status FROM sessions
            ORDER BY provider, account, live, state, payment_status LIMIT 1
        )
        UNION ALL
        SELECT n.* FROM groups AS g CROSS JOIN LATERAL (
            SELECT provider, account, live, state, payment_status FROM sessions AS s
            WHERE (s.provider, s.account, s.live, s.state, s.payment_status)
                > (g.provider, g.account, g.live, g.state, g.payment_status)
            ORDER BY s.provider, s.account, s.live, s.state, s.payment_status LIMIT 1
        ) AS n
    ), page AS (
        SELECT found.session_id FROM groups AS g CROSS JOIN LATERAL (
            SELECT s.session_id FROM sessions AS s
            WHERE s.provider = g.provider AND s.account = g.account AND s.live = g.live
                AND s.state = g.state AND s.payment_status = g.payment_status
                AND {_CONDITIONS}
        ) AS found
        WHERE {_WANTED.format("g")} AND ($13::text[] IS NULL OR g.state = ANY ($13))
        ORDER BY found.session_id DESC LIMIT $8
    )
    SELECT body, private FROM page JOIN sessions USING (session_id) ORDER BY session_id DESC
"""  # noqa: S608 - all parts stand here

_BY_REFERENCE = f"""
    SELECT s.body, s.private FROM sessions AS s
    WHERE {_WANTED.format("s")} AND s.reference_id = $13 AND {_CONDITIONS}
"""  # noqa: S608 - all parts stand here


async def list_sessions(database: Database, query: SessionQuery) -> Sequence[Session]:
    """Read the newest sessions of which all conditions hold."""
    conditions = (
        *await _range(database, query),
        _names(query.states),
        microseconds(query.now),
        pairs(query.metadata),
        query.limit,
        query.provider,
        query.account,
        query.live,
        _names(query.payment_statuses),
    )
    if query.reference_id:
        rows = await database.read(_BY_REFERENCE, *conditions, kept(query.reference_id))
    else:
        rows = await database.read(_BY_GROUP, *conditions, _stored_states(query.states))
    return [decode_session(body, private) for body, private in rows]


async def _range(database: Database, query: SessionQuery) -> tuple[str, str, int, int]:
    start, end = query.create_time_from, query.create_time_to
    from_time = _FIRST_TIME if start is None else microseconds(start)
    to_time = _LAST_TIME if end is None else microseconds(end)
    from_id, to_id = _FIRST_ID, query.before or _LAST_ID
    if start is not None or end is not None:
        ((first, last),) = await database.read(_ID_RANGE, from_time, to_time)
        from_id, to_id = first or _LAST_ID, min(to_id, f"{last or _FIRST_ID}{_LAST_ID}")
    return from_id, to_id, from_time, to_time


def _stored_states(states: frozenset[State]) -> list[str] | None:
    # What counts as expired may be stored as open still.
    return _names(states | {State.OPEN} if State.EXPIRED in states else states)


def _names(values: Iterable[Enum]) -> list[str] | None:
    return [value.value for value in values] or None
