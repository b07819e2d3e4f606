"""Records as rows: one column for what is public, one for what is personal, one for each condition."""

from datetime import UTC, datetime, timedelta

import msgspec

from service.core.model import CollectedDetails, Customer, Session
from service.core.record import Attempt, Prepared, Record, RequestKey

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IS_SENT = '"prepared":'
_MICROSECOND = timedelta(microseconds=1)

StoredSession = tuple[str, str | None]
"""The public and the personal part of a session."""

StoredRecord = tuple[str, str | None, str, str | None, str | None, bytes]
"""A stored session, its attempt, caller, request id and fingerprint."""


class Private(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of a session that may hold personal data, under the names they have there."""

    customer: Customer | None = None
    collected: CollectedDetails | None = None
    provider_details: dict[str, object] = msgspec.field(default_factory=dict)
    prepared: Prepared | None = None


class Sent(msgspec.Struct, frozen=True):
    """The part of the personal fields that belongs to the record and not to its session."""

    prepared: Prepared | None = None


_ENCODER = msgspec.json.Encoder()
_SESSION = msgspec.json.Decoder(Session)
_SENT = msgspec.json.Decoder(Sent)
_ATTEMPT = msgspec.json.Decoder(Attempt)


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970 in UTC: exact, short and in order."""
    return (time - _EPOCH) // _MICROSECOND


def moment(number: int) -> datetime:
    """Return the time that is so many microseconds after 1970."""
    return _EPOCH + number * _MICROSECOND


def encode_record(record: Record) -> StoredSession:
    """Return the public and the personal part of a session and what was sent for it."""
    session = record.session
    public = msgspec.structs.replace(session, customer=None, collected=None, provider_details={})
    private = Private(
        session.customer, session.collected, session.provider_details, record.prepared
    )
    stored = _ENCODER.encode(private).decode()
    return _ENCODER.encode(public).decode(), None if stored == "{}" else stored


def decode_session(body: str, private: str | None) -> Session:
    """Return the session of a public and a personal part."""
    # Both are objects with members, and share none: joined, they are decoded at once.
    return _SESSION.decode(f"{body[:-1]},{private[1:]}" if private else body)


def encode_attempt(attempt: Attempt) -> str:
    """Return an attempt as it is stored."""
    return _ENCODER.encode(attempt).decode()


def decode_record(row: StoredRecord) -> Record:
    """Return the record of a row."""
    body, private, attempt, caller, request_id, fingerprint = row
    return Record(
        session=decode_session(body, private),
        attempt=_ATTEMPT.decode(attempt),
        key=None if caller is None or request_id is None else RequestKey(caller, request_id),
        fingerprint=fingerprint,
        prepared=_SENT.decode(private).prepared if private and _IS_SENT in private else None,
    )
