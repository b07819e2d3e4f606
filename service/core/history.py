"""Reading what happened to one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from service.core.events import SessionEvent
from service.core.paging import PageTokens, page_size

if TYPE_CHECKING:
    from service.core.ledger import Ledger
    from service.core.ports import Store


class EventPage(Struct, frozen=True):
    """Entries of a timeline; the token is empty on the last page."""

    events: tuple[SessionEvent, ...]
    next_page_token: str


class ListSessionEvents:
    """Lists the timeline of a session, oldest entry first, page by page."""

    def __init__(self, *, store: Store, ledger: Ledger, secret: bytes) -> None:
        self._store = store
        self._ledger = ledger
        self._tokens = PageTokens(secret=secret)

    async def __call__(self, session_id: str, wanted: int, page_token: str) -> EventPage:
        """Return one page. Raises SessionNotFound, and InvalidRequest for a token that is not of this session."""
        size = page_size(wanted)
        conditions = {"events": session_id}
        after = self._tokens.open(conditions, page_token)
        await self._ledger.load(session_id)
        found = tuple(await self._store.list_events(session_id, int(after or 0), size + 1))
        if len(found) <= size:
            return EventPage(found, "")
        return EventPage(found[:size], self._tokens.seal(conditions, str(found[size - 1].number)))
