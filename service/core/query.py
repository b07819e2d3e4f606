"""Reading sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from service.core import lifecycle
from service.core.errors import InvalidRequest
from service.core.model import PaymentStatus, Session, State, Violation
from service.core.ports import SessionQuery
from service.core.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Provider, Store
    from service.core.reconcile import Reconciler

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
_SEAL_BYTES = 16


class ListFilter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions of a listing, all of which hold."""

    states: frozenset[State] = frozenset()
    payment_statuses: frozenset[PaymentStatus] = frozenset()
    provider: str = ""
    account: str = ""
    live: bool | None = None
    reference_id: str = ""
    create_time_from: datetime | None = None
    create_time_to: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class Page(Struct, frozen=True):
    """Sessions as they read at `now`; the token is empty on the last page."""

    sessions: tuple[Session, ...]
    next_page_token: str
    now: datetime


class GetSession:
    """Returns a session as it is now."""

    def __init__(self, *, ledger: Ledger, reconciler: Reconciler, clock: Clock) -> None:
        self._ledger = ledger
        self._reconciler = reconciler
        self._clock = clock

    async def __call__(self, session_id: str, *, refresh: bool = False) -> SessionView:
        """Return the session, having asked the provider where `refresh`. Raises SessionNotFound."""
        record = await self._ledger.load(session_id)
        if refresh:
            record = await self._reconciler.refresh(record)
        now = self._clock.now()
        return SessionView(lifecycle.effective(record.session, now), now)


class ListSessions:
    """Lists sessions, newest first, page by page."""

    def __init__(self, *, store: Store, clock: Clock, secret: bytes) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret

    async def __call__(self, conditions: ListFilter, page_size: int, page_token: str) -> Page:
        """Return one page. Raises InvalidRequest for a token that is not of these conditions."""
        now = self._clock.now()
        size = min(page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        before = self._open(conditions, page_token) if page_token else ""
        query = SessionQuery(
            now=now, before=before, limit=size + 1, **msgspec.structs.asdict(conditions)
        )
        found = await self._store.list_sessions(query)
        page = tuple(lifecycle.effective(session, now) for session in found[:size])
        more = len(found) > size
        return Page(page, self._seal(conditions, page[-1].session_id) if more else "", now)

    def _seal(self, conditions: ListFilter, before: str) -> str:
        token = self._mark(conditions, before) + before.encode()
        return base64.urlsafe_b64encode(token).decode().rstrip("=")

    def _open(self, conditions: ListFilter, token: str) -> str:
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            mark, before = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:].decode()
        except ValueError:
            raise _bad_token() from None
        if not hmac.compare_digest(mark, self._mark(conditions, before)):
            raise _bad_token()
        return before

    def _mark(self, conditions: ListFilter, before: str) -> bytes:
        fields = msgspec.to_builtins(conditions)
        for name in ("states", "payment_statuses"):
            # Sets have no order of their own, and enums none at all.
            fields[name] = sorted(fields.get(name, ()))
        content = msgspec.json.encode([fields, before], order="sorted")
        return hashlib.blake2b(content, key=self._secret, digest_size=_SEAL_BYTES).digest()


class ListProviders:
    """Lists the configured provider accounts."""

    def __init__(self, *, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self) -> Sequence[Provider]:
        """Return every account, by provider, then account."""
        return self._directory.all()


def _bad_token() -> InvalidRequest:
    wrong = Violation("page_token", "is not a token of an earlier answer to the same conditions")
    return InvalidRequest(f"{wrong.field}: {wrong.description}", violations=[wrong])
