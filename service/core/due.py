"""What a store does with sessions whose time has come: it hands them out, and takes several changes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.events import Fact
    from service.core.record import Record


class Change(Struct, frozen=True, kw_only=True):
    """A session as it is to be, the version that this was made of, and what is to be told of it."""

    record: Record
    expected_version: int
    facts: Sequence[Fact] = ()


class Claimed(Struct, frozen=True):
    """Sessions whose time has come; of those that are damaged the ids."""

    records: Sequence[Record]
    unreadable: Sequence[str] = ()


class DueSessions(Protocol):
    """The part of a store that sweeps need."""

    set_size: int
    """How many changes are best saved at once: fewer cost more each, and more keep readers waiting."""

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Claimed:
        """Return sessions whose due time (`record.due_time`) has come, oldest due first.

        They are kept from other processes' claims until a time, or until their next save.
        """

    async def save_each(self, changes: Sequence[Change]) -> Sequence[str]:
        """Replace the records of several sessions as `save` would; return the ids of those that it left alone.

        These are the ones that are not stored in the expected version, and keep no other from being saved. No
        session is named twice. Callers whose sessions overlap may come in any order.
        """
