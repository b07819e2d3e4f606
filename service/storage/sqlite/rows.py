"""Records as rows: one column for what is public, one for what is personal, one for each condition."""

from datetime import UTC, datetime, timedelta

import msgspec

from service.core.model import CollectedDetails, Customer, PaymentStatus, Session, State
from service.core.record import Attempt, Record, RequestKey

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


_ENCODER = msgspec.json.Encoder()
_SESSION = msgspec.json.Decoder(Session)
_ATTEMPT = msgspec.json.Decoder(Attempt)


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970 in UTC: exact, short and in order."""
    return (time - _EPOCH) // _MICROSECOND


def due_time(session: Session) -> int | None:
    """Return when the passing of time alone ends a session, None where it does not."""
    match session.state, session.payment_status:
        case State.OPEN, PaymentStatus.PROCESSING:
            return None
        case ((State.OPEN | State.CREATING), _):
            return microseconds(session.expire_time)
        case _:
            return None


def encode_session(session: Session) -> StoredSession:
    """Return the public and the personal part of a session."""
    public = msgspec.structs.replace(session, customer=None, collected=None, provider_details={})
    private = Private(session.customer, session.collected, session.provider_details)
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
    )
