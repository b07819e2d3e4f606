"""What a row of SQLite's tables is in PostgreSQL's."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from service.core.unmatched import Facts
from service.storage.postgres.texts import kept, kept_all, pairs
from service.storage.rows import microseconds

Row = tuple[object, ...]


class Part(NamedTuple):
    """A table: how it is read there, the columns it has here, and what makes one of the other."""

    table: str
    select: str
    columns: tuple[str, ...]
    row: Callable[[Row], Row]


class _Described(msgspec.Struct):
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


_DESCRIBED = msgspec.json.Decoder(_Described)
_FACTS = msgspec.json.Decoder(Facts)
_TEXTS = msgspec.json.Decoder(list[str])

_SESSION_COLUMNS = tuple(
    "session_id provider account live create_time fingerprint state payment_status due_time version"
    " attempt body private reference_id caller request_id".split()
)


def _session(row: Row) -> Row:
    *same, reference_id, caller, request_id = row
    live, body = same[3], str(same[11])
    texts = [
        None if text is None else kept(str(text)) for text in (reference_id, caller, request_id)
    ]
    metadata = pairs(_DESCRIBED.decode(body).metadata)
    return (*same[:3], bool(live), *same[4:], *texts, metadata)


def _key(row: Row) -> Row:
    caller, request_id, session_id = row
    return (kept(str(caller)), kept(str(request_id)), session_id)


def _reference(row: Row) -> Row:
    provider, account, reference, session_id, waiting = row
    events = [kept(event_id) for event_id in _TEXTS.decode(str(waiting))]
    return (provider, account, kept(str(reference)), session_id, events)


def _event(row: Row) -> Row:
    *same, event_id, event_type, facts, private = row
    told, paid, awaited = None, None, list[str]()
    if facts is not None:
        known = _FACTS.decode(str(facts))
        paid = None if known.payment_time is None else microseconds(known.payment_time)
        told = msgspec.json.encode(msgspec.structs.replace(known, payment_time=None)).decode()
        awaited = kept_all(known.references) if private is not None else []
    return (*same, kept(str(event_id)), kept(str(event_type)), told, paid, private, awaited)


def _same(row: Row) -> Row:
    return row


def _mark(row: Row) -> Row:
    name, looked_until = row
    _, provider, account = str(name).split("/", 2)
    return (provider, account, looked_until)


PARTS = (
    Part(
        "sessions",
        f"SELECT {', '.join(_SESSION_COLUMNS)} FROM sessions",  # noqa: S608 - both parts stand here
        (*_SESSION_COLUMNS, "metadata"),
        _session,
    ),
    Part(
        "request_keys",
        "SELECT caller, request_id, session_id FROM request_keys",
        ("caller", "request_id", "session_id"),
        _key,
    ),
    # A reference leads to a session or is waited for by events, never both.
    Part(
        "provider_refs",
        """
        SELECT provider, account, reference, session_id, '[]' FROM provider_refs
        UNION ALL
        SELECT w.provider, w.account, w.reference, NULL, json_group_array(i.event_id)
        FROM waiting_refs AS w JOIN inbox AS i ON i.position = w.position
        GROUP BY w.provider, w.account, w.reference
        """,
        ("provider", "account", "reference", "session_id", "waiting"),
        _reference,
    ),
    # Pages of the unmatched events lead on by position.
    Part(
        "inbox",
        """
        SELECT position, provider, account, received, session_id, body, event_id, event_type, facts,
            private
        FROM inbox
        """,
        tuple(
            "position provider account received session_id body event_id event_type facts"
            " payment_time private awaited".split()
        ),
        _event,
    ),
    Part(
        "marks",
        "SELECT name, value FROM store_meta WHERE name LIKE 'looked_until/%'",
        ("provider", "account", "looked_until"),
        _mark,
    ),
    Part(
        "timeline",
        "SELECT position, session_id, version, facts FROM timeline WHERE session_id <> ''",
        ("position", "session_id", "version", "facts"),
        _same,
    ),
    Part(
        "feed",
        "SELECT position, session_id, version, types, time FROM timeline WHERE types IS NOT NULL",
        ("position", "session_id", "version", "types", "time"),
        _same,
    ),
)
"""Every table but the one that the store has of itself."""

SEQUENCES = (
    """
    SELECT setval(pg_get_serial_sequence('inbox', 'position'), max(position))
    FROM inbox HAVING max(position) IS NOT NULL
    """,
    """
    SELECT setval(pg_get_serial_sequence('timeline', 'position'), max(position))
    FROM timeline HAVING max(position) IS NOT NULL
    """,
)
"""Statements after which new rows get positions above those that were copied."""

COUNTER = "UPDATE feed_counter SET value = $1"
"""The statement after which changes get positions above any that a cursor may hold."""

META = "UPDATE store_meta SET value = $1 WHERE name = $2"
"""The statement that takes over what the store is known by."""


def meta_rows(source: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    """Yield the names and values by which cursors, links and fingerprints know the store."""
    values = dict(
        source.execute("SELECT name, value FROM store_meta WHERE name IN ('secret', 'store_id')")
    )
    yield "secret", bytes(values["secret"])
    yield "store_id", bytes.fromhex(values["store_id"])


def newest_position(source: sqlite3.Connection) -> int:
    """Return the highest position that was ever given, whether or not its row is there."""
    ((newest,),) = source.execute("SELECT coalesce(max(position), 0) FROM timeline")
    return int(newest)
