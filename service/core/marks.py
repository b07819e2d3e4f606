"""The store's memory of how far each account has been looked through for what webhooks missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Marks(Protocol):
    """One time for each account."""

    async def looked_until(self, provider: str, account: str) -> datetime | None:
        """Return the time up to which nothing of an account is left to be found; None before the first look."""

    async def look_from(self, provider: str, account: str, moment: datetime) -> None:
        """Remember that time, whatever it was before."""

    async def look_after(
        self, provider: str, account: str, *, now: datetime, until: datetime
    ) -> bool:
        """Tell whether this process is the one to look through an account, and make it so until a time if nobody is."""
