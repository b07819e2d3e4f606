"""Rows that were written before a field was there."""

from datetime import UTC, datetime

from service.core.model import UnknownOutcomeStrategy
from service.core.record import Attempt
from service.storage.rows import decode_record, encode_attempt, encode_record
from tests.storage.records import record


def test_attempts_without_kept_ids_are_read() -> None:
    """An attempt stored before creates could take several calls has kept nothing, and is written as it was."""
    stored = '{"number":2,"strategy":"RECREATE","lease_until":"2026-03-01T12:00:00Z"}'
    public, private = encode_record(record(1))
    attempt = decode_record((public, private, stored, None, None, b"")).attempt
    lease = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert attempt == Attempt(number=2, strategy=UnknownOutcomeStrategy.RECREATE, lease_until=lease)
    assert stored == encode_attempt(attempt)
