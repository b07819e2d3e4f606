"""Rows of sessions whose time has come, read one by one: one that is damaged keeps no other from its end."""

from collections.abc import Iterable

import msgspec

from service.core import portions
from service.core.due import Claimed
from service.core.record import Record
from service.storage.rows import StoredRecord, decode_record

StoredDue = tuple[str, StoredRecord]
"""A session's id and its stored record."""


async def read(rows: Iterable[StoredDue]) -> Claimed:
    """Return the records of rows, and the ids of those that cannot be read."""
    found = await portions.each(_read, rows)
    return Claimed(
        records=[one for one in found if isinstance(one, Record)],
        unreadable=tuple(one for one in found if isinstance(one, str)),
    )


def _read(row: StoredDue) -> Record | str:
    session_id, stored = row
    try:
        return decode_record(stored)
    except (msgspec.DecodeError, ValueError):
        return session_id
