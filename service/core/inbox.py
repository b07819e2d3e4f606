"""What a store does with events: it keeps each once, and those without a session until one turns up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.events import Fact
    from service.core.unmatched import Facts, UnmatchedPayment, UnmatchedQuery
    from service.core.waiting import Waiting


class InboxEvent(Struct, frozen=True, kw_only=True):
    """A verified event as the inbox keeps it; `body` and `waiting` are personal data and live only there.

    `facts` and `waiting` are there exactly where no session was found.
    """

    provider: str
    account: str
    event_id: str
    event_type: str
    received: datetime
    session_id: str = ""
    body: bytes = b""
    facts: Facts | None = None
    waiting: Waiting | None = None


class Inbox(Protocol):
    """The events' part of a store."""

    async def receive(
        self, event: InboxEvent, *, version: int = 0, facts: Sequence[Fact] = ()
    ) -> None:
        """Store an event that changes nothing, with the facts of its session in a version.

        Raises EventKnown when the inbox holds it. An event that had no session and comes again with one is not known
        yet. Raises StoreConflict where it has none, and one of its references leads to a session by now.
        """

    async def find_waiting(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Sequence[InboxEvent]:
        """Return the unmatched events that have one of the references, without their bodies.

        Those that were reduced wait no more.
        """

    async def list_unmatched(self, query: UnmatchedQuery) -> Sequence[UnmatchedPayment]:
        """Return at most `query.limit` unmatched events, the latest received first."""

    async def purge_events(
        self, *, matched_before: datetime, unmatched_before: datetime, limit: int
    ) -> int:
        """Delete matched events received before a time, and reduce unmatched ones; return how many, at most `limit`.

        A reduced event keeps its ids, its facts but for the payment's time, and its place in the listing.
        """
