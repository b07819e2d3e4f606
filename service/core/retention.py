"""What a store does with sessions that nothing will happen to any more: it tells which are old, and deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.record import Record

Place = tuple["datetime", str]
"""A session's creation time and id: sessions in the order they were made in."""


class Retention(Protocol):
    """The old sessions' part of a store."""

    async def list_old(
        self, created_before: datetime, after: Place | None, limit: int
    ) -> Sequence[Record]:
        """Return at most `limit` records of sessions created before a time, oldest first, those after a place."""

    async def delete_sessions(self, records: Sequence[Record]) -> int:
        """Delete sessions with their request keys, references and events; return how many.

        A session that has another version by now stays. What came by webhook goes by `purge_events` alone: it keeps
        an event that is delivered again from being taken for news.
        """
