"""The gate: addresses of our own that lead to the provider's page only while a session is open."""

from __future__ import annotations

import enum
import hashlib
import hmac
from typing import TYPE_CHECKING

from msgspec import Struct

from service.core import base32, lifecycle, payments
from service.core.model import PaymentStatus, State
from service.core.page import checkout_url

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.model import Session
    from service.core.ports import Clock, Store

PATH = "/c/"

_PREFIX = "cs_"
_MARK_BYTES = 16
_TOKEN_LENGTH = 2 * base32.LENGTH
# The store's secret signs other things too; what is signed here counts nowhere else.
_PURPOSE = b"checkout.gate"


class GateLinks:
    """Makes and reads addresses that nobody without the secret can make; none is stored."""

    def __init__(self, *, public_url: str, secret: bytes) -> None:
        self._base = public_url + PATH
        self._secret = secret

    def address(self, session: Session) -> str:
        """Return where to send the customer; empty where the provider's page would be nowhere either."""
        if not checkout_url(session):
            return ""
        return self._base + self._token(session.session_id)

    def session_id(self, token: str) -> str | None:
        """Return the id of the session a token was made for; None for what was never made."""
        if len(token) != _TOKEN_LENGTH or not token.isascii():
            return None
        claimed = _PREFIX + token[: base32.LENGTH]
        genuine = hmac.compare_digest(self._token(claimed), token)
        return claimed if genuine else None

    def _token(self, session_id: str) -> str:
        mark = hashlib.blake2b(
            session_id.encode(), key=self._secret, digest_size=_MARK_BYTES, person=_PURPOSE
        )
        return session_id.removeprefix(_PREFIX) + base32.encode(int.from_bytes(mark.digest()))


class Outcome(enum.Enum):
    """What a customer at the gate is told."""

    OPEN = "open"
    COMPLETED = "completed"
    ENDED = "ended"
    DECIDING = "deciding"
    NOT_READY = "not_ready"
    UNKNOWN = "unknown"


class Passage(Struct, frozen=True):
    """Where an address leads: on to `url` when OPEN; `locale` is the language the shop named."""

    outcome: Outcome
    url: str = ""
    locale: str = ""


class Gate:
    """Lets customers through, or says why not; one look at the store for each genuine token."""

    def __init__(self, *, links: GateLinks, store: Store, clock: Clock) -> None:
        self._links = links
        self._store = store
        self._clock = clock

    async def __call__(self, token: str) -> Passage:
        """Return where a token leads now. Raises StoreUnavailable."""
        session_id = self._links.session_id(token)
        record = await self._store.find(session_id) if session_id else None
        if record is None:
            return Passage(Outcome.UNKNOWN)
        return passage(record.session, self._clock.now())


def passage(session: Session, now: datetime) -> Passage:
    """Return where the address of a session leads at `now`."""
    outcome = _outcome(lifecycle.effective(session, now), now)
    url = session.provider_url if outcome is Outcome.OPEN else ""
    locale = session.customer.locale if session.customer else ""
    return Passage(outcome, url, locale)


def _outcome(session: Session, now: datetime) -> Outcome:
    match session.state:
        case State.COMPLETED:
            return Outcome.COMPLETED
        case State.EXPIRED | State.FAILED:
            return Outcome.ENDED
    if now >= session.expire_time:
        processing = payments.status(session) is PaymentStatus.PROCESSING
        return Outcome.DECIDING if processing else Outcome.ENDED
    if session.state is not State.OPEN:
        return Outcome.NOT_READY
    # Charged without a page: nobody has to go anywhere.
    return Outcome.OPEN if session.provider_url else Outcome.DECIDING
