"""The listing of unmatched payments: newest first, in time that depends on the page and not on the store."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from heapq import merge
from itertools import islice

import msgspec

from service.core.unmatched import Facts, UnmatchedPayment, UnmatchedQuery
from service.storage.rows import microseconds, moment

_FIRST_TIME = -(2**63)
_LAST = 2**63 - 1

# Every account there is, each found by one step in the index from the one before: past its last
# time, as SQLite steps to a row at or above.
_ACCOUNTS = """
    WITH RECURSIVE one(id) AS (
        SELECT (
            SELECT position FROM inbox WHERE session_id IS NULL
            ORDER BY provider, account, received LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT n.position FROM inbox AS n
            WHERE n.session_id IS NULL
            AND (n.provider, n.account, n.received) > (+i.provider, +i.account, ?)
            ORDER BY n.provider, n.account, n.received LIMIT 1
        )
        FROM one JOIN inbox AS i ON i.position = one.id
    )
    SELECT provider, account FROM one JOIN inbox ON inbox.position = one.id
"""

_OF_ACCOUNT = """
    SELECT received, position, provider, account, event_id, event_type, facts, private IS NULL
    FROM inbox INDEXED BY inbox_unmatched
    WHERE session_id IS NULL AND provider = :provider AND account = :account
    AND received >= :from_time AND received < :to_time
    AND (received < :last_time OR (received = :last_time AND position < :last_position))
    ORDER BY received DESC, position DESC LIMIT :limit
"""

_Row = tuple[int, int, str, str, str, str, str, int]

_FACTS = msgspec.json.Decoder(Facts)


def list_unmatched(connection: sqlite3.Connection, query: UnmatchedQuery) -> list[UnmatchedPayment]:
    """Read the latest unmatched events of which all conditions hold."""
    parameters = _parameters(query)
    cursors = [
        connection.execute(_OF_ACCOUNT, {**parameters, "provider": provider, "account": account})
        for provider, account in _accounts(connection, query)
    ]
    rows: Iterator[_Row] = merge(*cursors, key=lambda row: row[:2], reverse=True)
    page = [_decoded(row) for row in islice(rows, query.limit)]
    for cursor in cursors:
        cursor.close()
    return page


def _accounts(connection: sqlite3.Connection, query: UnmatchedQuery) -> Iterator[tuple[str, str]]:
    with closing(connection.execute(_ACCOUNTS, (_LAST,))) as accounts:
        for provider, account in accounts.fetchall():
            if query.provider in {"", provider} and query.account in {"", account}:
                yield provider, account


def _parameters(query: UnmatchedQuery) -> dict[str, int]:
    start, end, before = query.received_from, query.received_to, query.before
    to_time = _LAST if end is None else microseconds(end)
    last_time, last_position = (microseconds(before[0]), before[1]) if before else (_LAST, _LAST)
    return {
        "from_time": _FIRST_TIME if start is None else microseconds(start),
        # One bound at each end, as SQLite steps to one alone.
        "to_time": min(to_time, last_time + 1) if before else to_time,
        "last_time": last_time,
        "last_position": last_position,
        "limit": query.limit,
    }


def _decoded(row: _Row) -> UnmatchedPayment:
    received, position, provider, account, event_id, event_type, facts, reduced = row
    return UnmatchedPayment(
        provider=provider,
        account=account,
        event_id=event_id,
        event_type=event_type,
        received=moment(received),
        position=position,
        facts=_FACTS.decode(facts),
        reduced=bool(reduced),
    )
