"""The store's memory of what happened: by session for whoever asks, in one order for whoever follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.events import Fact, NumberedEvent, SessionEvent
    from service.core.model import Session


class Events(Protocol):
    """The timeline of each session, and the numbered changes of all of them.

    The facts of a durable step are written by that step. Its change is numbered where it has types: positions grow,
    with gaps, and follow the versions within a session. Once a position can be read, no smaller one will appear.
    """

    async def add_facts(self, session_id: str, version: int, facts: Sequence[Fact]) -> None:
        """Add to the timeline what changed nothing; a change among the facts is not numbered."""

    async def list_events(self, session_id: str, after: int, limit: int) -> Sequence[SessionEvent]:
        """Return at most `limit` entries of a timeline, oldest first, those with a number above `after`."""

    async def number_events(self, limit: int) -> int:
        """Give positions to at most `limit` committed changes that have none; return how many got one.

        0 where another process is doing the same, and where changes are numbered as they are written.
        """

    async def read_events(self, after: int, limit: int) -> Sequence[NumberedEvent]:
        """Return at most `limit` numbered changes with a position above `after`, in order."""

    async def find_sessions(self, session_ids: Sequence[str]) -> Sequence[Session]:
        """Return sessions by their ids, as they are now: in any order, and without those that are gone."""

    async def event_range(self) -> tuple[int, int]:
        """Return the oldest position that is kept and the newest that was given.

        Where none is kept the first is one above the second. Whoever has seen all up to a position loses nothing by
        reading on after it, unless it is more than one below the first.
        """

    async def forget_positions(self, before: datetime, limit: int) -> int:
        """Forget the oldest positions, of changes before a time; return how many, at most `limit`.

        Timelines keep the changes. 0 where positions are kept as long as their sessions.
        """

    async def store_id(self) -> bytes:
        """Return the store's own id, the same for ever; no other store has it."""
