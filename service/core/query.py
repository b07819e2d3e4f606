"""Reading sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from service.core import lifecycle
from service.core.model import PaymentStatus, Session, State
from service.core.paging import PageTokens, page_size
from service.core.ports import SessionQuery
from service.core.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Provider, Store
    from service.core.reconcile import Reconciler


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
        self._tokens = PageTokens(secret=secret)

    async def __call__(self, conditions: ListFilter, wanted: int, page_token: str) -> Page:
        """Return one page. Raises InvalidRequest for a token that is not of these conditions."""
        now = self._clock.now()
        size = page_size(wanted)
        plain = _plain(conditions)
        before = self._tokens.open(plain, page_token)
        query = SessionQuery(
            now=now, before=before, limit=size + 1, **msgspec.structs.asdict(conditions)
        )
        found = await self._store.list_sessions(query)
        page = tuple(lifecycle.effective(session, now) for session in found[:size])
        more = len(found) > size
        return Page(page, self._tokens.seal(plain, page[-1].session_id) if more else "", now)


class ListProviders:
    """Lists the configured provider accounts."""

    def __init__(self, *, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self) -> Sequence[Provider]:
        """Return every account, by provider, then account."""
        return self._directory.all()


def _plain(conditions: ListFilter) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(conditions)
    for name, values in (
        ("states", conditions.states),
        ("payment_statuses", conditions.payment_statuses),
    ):
        # Sets have no order of their own, and enums none at all.
        fields[name] = sorted(value.value for value in values)
    return fields
