"""Due sessions as stores read them."""

import pytest

from service.core.due import Claimed
from service.core.record import Record
from service.storage import due
from service.storage.due import StoredDue
from service.storage.rows import StoredRecord, encode_attempt, encode_record
from tests.storage.records import record, session_id


def stored(kept: Record) -> StoredRecord:
    """Return a record without a request key as a row has it."""
    body, private = encode_record(kept)
    return body, private, encode_attempt(kept.attempt), None, None, kept.fingerprint


@pytest.mark.parametrize("body", ["{", "", "[]", '{"session_id": 1}', '{"create_time": "x"}'])
async def test_a_damaged_row_keeps_no_other(body: str) -> None:
    """What cannot be read is named, and the rows around it are read."""
    first, last = record(1), record(3)
    rest = stored(record(2))[1:]
    rows: list[StoredDue] = [
        ("first", stored(first)),
        (session_id(2), (body, *rest)),
        ("last", stored(last)),
    ]
    assert await due.read(rows) == Claimed(records=[first, last], unreadable=(session_id(2),))
