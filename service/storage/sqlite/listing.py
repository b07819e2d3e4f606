"""Listings: newest first, in time that depends on the page and not on the store."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from enum import Enum
from heapq import merge
from itertools import islice
from operator import itemgetter

import msgspec

from service.core.model import Session, State
from service.core.ports import SessionQuery
from service.storage.rows import decode_session, microseconds

_FIRST_ID = ""
# Above every id there is: ids are ASCII.
_LAST_ID = "\x7f"
_FIRST_TIME = -(2**63)
_LAST_TIME = 2**63 - 1

# Exact whatever the ids are made of, and read from one index alone.
_ID_RANGE = """
    SELECT min(session_id), max(session_id) FROM sessions
    WHERE create_time >= ? AND create_time < ?
"""

# Every combination there is, each found by one step in the index from the one before: past the
# last id, as SQLite steps to a row at or above. Without the plus signs it would compare the types
# of the columns too, and step by the first alone.
_GROUPS = """
    WITH RECURSIVE first(id) AS (
        SELECT (
            SELECT rowid FROM sessions
            ORDER BY provider, account, live, state, payment_status, session_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT n.rowid FROM sessions AS n
            WHERE (n.provider, n.account, n.live, n.state, n.payment_status, n.session_id)
                > (+s.provider, +s.account, +s.live, +s.state, +s.payment_status, ?)
            ORDER BY n.provider, n.account, n.live, n.state, n.payment_status, n.session_id
            LIMIT 1
        )
        FROM first JOIN sessions AS s ON s.rowid = first.id
    )
    SELECT provider, account, live, state, payment_status
    FROM first JOIN sessions ON sessions.rowid = first.id
"""

_CONDITIONS = """
    session_id >= :from_id AND session_id < :to_id
    AND create_time >= :from_time AND create_time < :to_time
    AND (
        :states IS NULL
        OR CASE WHEN state = 'OPEN' AND due_time <= :now THEN 'EXPIRED' ELSE state END
            IN (SELECT value FROM json_each(:states))
    )
    AND (
        :metadata IS NULL OR NOT EXISTS (
            SELECT 1 FROM json_each(:metadata) AS wanted WHERE NOT EXISTS (
                SELECT 1 FROM json_each(body, '$.metadata') AS held
                WHERE held.key = wanted.key AND held.value = wanted.value
            )
        )
    )
    ORDER BY session_id DESC LIMIT :limit
"""

_OF_GROUP = f"""
    SELECT session_id, body, private FROM sessions INDEXED BY sessions_by_group
    WHERE provider = :provider AND account = :account AND live = :live
    AND state = :state AND payment_status = :payment_status
    AND {_CONDITIONS}
"""  # noqa: S608 - both parts stand here

_OF_REFERENCE = f"""
    SELECT session_id, body, private FROM sessions INDEXED BY sessions_by_reference
    WHERE reference_id = :reference_id
    AND provider = coalesce(:provider, provider) AND account = coalesce(:account, account)
    AND live = coalesce(:live, live)
    AND (
        :payment_statuses IS NULL
        OR payment_status IN (SELECT value FROM json_each(:payment_statuses))
    )
    AND {_CONDITIONS}
"""  # noqa: S608 - both parts stand here

_Group = tuple[str, str, int, str, str]
_Row = tuple[str, str, str | None]


def list_sessions(connection: sqlite3.Connection, query: SessionQuery) -> Sequence[Session]:
    """Read the newest sessions of which all conditions hold."""
    parameters = _parameters(connection, query)
    if query.reference_id:
        rows: list[_Row] = connection.execute(_OF_REFERENCE, parameters).fetchall()
    else:
        rows = _merged(connection, query, parameters)
    return [decode_session(body, private) for _, body, private in rows]


def _merged(
    connection: sqlite3.Connection, query: SessionQuery, parameters: Mapping[str, object]
) -> list[_Row]:
    names = ("provider", "account", "live", "state", "payment_status")
    cursors = [
        connection.execute(_OF_GROUP, {**parameters, **dict(zip(names, group, strict=True))})
        for group in _groups(connection, query)
    ]
    rows: Iterator[_Row] = merge(*cursors, key=itemgetter(0), reverse=True)
    page = list(islice(rows, query.limit))
    for cursor in cursors:
        cursor.close()
    return page


def _groups(connection: sqlite3.Connection, query: SessionQuery) -> Iterator[_Group]:
    states = {state.value for state in query.states}
    if State.EXPIRED in query.states:
        states.add(State.OPEN.value)
    payment_statuses = {status.value for status in query.payment_statuses}
    with closing(connection.execute(_GROUPS, (_LAST_ID,))) as groups:
        for group in groups.fetchall():
            provider, account, live, state, payment_status = group
            if (
                query.provider in {"", provider}
                and query.account in {"", account}
                and query.live in {None, bool(live)}
                and (not states or state in states)
                and (not payment_statuses or payment_status in payment_statuses)
            ):
                yield group


def _parameters(connection: sqlite3.Connection, query: SessionQuery) -> dict[str, object]:
    return {
        "provider": query.provider or None,
        "account": query.account or None,
        "live": query.live,
        "reference_id": query.reference_id,
        "states": _names(query.states),
        "payment_statuses": _names(query.payment_statuses),
        "metadata": _json(query.metadata),
        "now": microseconds(query.now),
        "limit": query.limit,
        **_range(connection, query),
    }


def _range(connection: sqlite3.Connection, query: SessionQuery) -> dict[str, object]:
    start, end = query.create_time_from, query.create_time_to
    from_time = _FIRST_TIME if start is None else microseconds(start)
    to_time = _LAST_TIME if end is None else microseconds(end)
    from_id, to_id = _FIRST_ID, query.before or _LAST_ID
    if start is not None or end is not None:
        first, last = connection.execute(_ID_RANGE, (from_time, to_time)).fetchone()
        # One bound at each end, as SQLite steps to one alone.
        from_id, to_id = first or _LAST_ID, min(to_id, f"{last or _FIRST_ID}{_LAST_ID}")
    return {"from_time": from_time, "to_time": to_time, "from_id": from_id, "to_id": to_id}


def _names(values: Iterable[Enum]) -> str | None:
    return _json([value.value for value in values])


def _json(value: Mapping[str, str] | Sequence[str]) -> str | None:
    return msgspec.json.encode(value).decode() if value else None
