"""Fills a store with copies of one session that the service itself has stored."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from service.core import base32
from service.core.record import due_time
from service.storage.rows import decode_record, encode_record, microseconds, moment

_TABLES = ("sessions", "request_keys", "provider_refs", "timeline")
_NUMBERED_BY_THE_TABLE = "position"
_APART = 1_000_000
_BEFORE = 365 * 86_400
_BITS = 80

Row = dict[str, object]


class Template(NamedTuple):
    """The rows of one session, and the texts in them that every copy has anew."""

    rows: Mapping[str, Sequence[Row]]
    texts: Sequence[str]
    created: datetime

    @classmethod
    def read(cls, path: Path) -> "Template":
        """Take the oldest session of a store that nobody uses."""
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            (session,) = database.execute("SELECT * FROM sessions ORDER BY create_time LIMIT 1")
            rows = {
                table: [
                    dict(row)
                    for row in database.execute(
                        f"SELECT * FROM {table} WHERE session_id = ?", (session["session_id"],)
                    )
                ]
                for table in _TABLES
            }
        assert all(rows.values()), "a table has no row of the session"
        record = decode_record(
            tuple(
                session[name]
                for name in "body private attempt caller request_id fingerprint".split()
            )
        )
        own = record.session
        texts = (own.session_id, own.reference_id, own.provider_session_id)
        return cls(rows, texts, moment(session["create_time"]))

    def due(self, at: datetime) -> "Template":
        """Return the rows as they would be if the session ended at another time."""
        (row,) = self.rows["sessions"]
        columns = "body private attempt caller request_id fingerprint".split()
        record = decode_record(tuple(row[name] for name in columns))  # type: ignore[arg-type]
        session = structs.replace(record.session, expire_time=at, payable_until=at)
        later = structs.replace(record, session=session)
        body, private = encode_record(later)
        due = due_time(later)
        assert due == at
        changed = {**row, "body": body, "private": private, "due_time": microseconds(due)}
        return self._replace(rows={**self.rows, "sessions": [changed]})

    def copies(self, table: str, numbers: range) -> Iterator[Sequence[object]]:
        """Yield the rows of a table for some copies."""
        rows = [(list(row.values()), self._places(row)) for row in self.rows[table]]
        names = list(self.rows[table][0])
        created = names.index("create_time") if "create_time" in names else None
        numbered = names.index(_NUMBERED_BY_THE_TABLE) if _NUMBERED_BY_THE_TABLE in names else None
        for number in numbers:
            new = self._texts(number)
            for values, places in rows:
                copy = values.copy()
                for column, places_of_texts in places:
                    text = copy[column]
                    for place in places_of_texts:
                        text = text.replace(self.texts[place], new[place])  # type: ignore[attr-defined]
                    copy[column] = text
                if created is not None:
                    copy[created] = self._created(number)
                if numbered is not None:
                    copy[numbered] = None
                yield copy

    def _places(self, row: Row) -> Sequence[tuple[int, Sequence[int]]]:
        """Return which columns of a row have which texts in them."""
        found = [
            (column, [place for place, text in enumerate(self.texts) if text in str(value)])
            for column, value in enumerate(row.values())
            if isinstance(value, str)
        ]
        return [(column, places) for column, places in found if places]

    def session_id(self, number: int) -> str:
        """Return the id of a copy."""
        return self._texts(number)[0]

    def _created(self, number: int) -> int:
        # All are older than what is created from now on, a second apart from each other.
        return microseconds(self.created) + (number - _BEFORE) * _APART

    def _texts(self, number: int) -> Sequence[str]:
        session_id = "cs_" + base32.encode((self._created(number) // 1000 << _BITS) | number)
        return (session_id, *(f"{text[:-8]}{number:08}x" for text in self.texts[1:]))


def fill(path: Path, template: Template, numbers: range) -> None:
    """Add copies with some numbers to a store that nobody uses."""
    with closing(sqlite3.connect(path)) as database:
        # Whatever is lost here is made again.
        database.execute("PRAGMA synchronous = OFF")
        for table in _TABLES:
            width = len(template.rows[table][0])
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"
            with database:
                database.executemany(insert, template.copies(table, numbers))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
