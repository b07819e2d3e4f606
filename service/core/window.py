"""What providers that list payments tell of a span of time, page by page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct, structs

from service.core.ports import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.core.ports import ProviderEvent

OVERLAP = timedelta(minutes=2)
"""Clocks differ, and what was paid is listed a little later: each window begins before the last one ended."""

LONGEST = timedelta(days=1)
"""After a long pause the time is made up for in windows of this length, each remembered once it is done."""


class Window(Struct, frozen=True):
    """A span of time, both ends included, and the page to go on from; empty for the first."""

    since: datetime
    until: datetime
    page: str = ""


class Listed(Struct, frozen=True):
    """A page of a window: what it tells, and the next page; empty at the end."""

    events: Sequence[ProviderEvent]
    next_page: str = ""


@runtime_checkable
class ListingProvider(Provider, Protocol):
    """A provider that lists the payments of an account. Whoever is one declares `lists_payments`."""

    async def recent(self, window: Window) -> Listed:
        """Return a page of the payments made or changed in a window, in the words of webhooks.

        `event_id` names the payment and where it stands. An event without a report that names a payment tells of an
        attempt that is not decided. A hint has a report that is short: enough to tell whether it is news, and
        `whole` is asked before it is applied. Payments that cannot be of a session may be left out. What is
        `unreadable` keeps nothing else from being read. Raises as `create`.
        """

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Return an event with everything that a webhook would tell of its payment by now.

        It is a hint, or one of a payment that was not decided: then it may have no more than the references
        "payment:…" and "session:…". No report comes back for what no session can use. Raises as `create`.
        """


class Windows:
    """Which span of an account's time is looked through next."""

    def __init__(self, begin: datetime) -> None:
        self._done = begin
        self._open: Window | None = None

    @property
    def done(self) -> datetime:
        """The time up to which every page has been turned."""
        return self._done

    def current(self, now: datetime) -> Window | None:
        """Return the page to look at; None where nothing is left up to `now`."""
        if self._open is None and now > self._done:
            until = min(now, self._done + LONGEST)
            self._open = Window(self._done - OVERLAP, until)
        return self._open

    def turn(self, next_page: str) -> None:
        """Note that the current page is done with, and which follows."""
        window = self._open
        assert window is not None  # noqa: S101 - a page is turned after it was looked at
        if next_page:
            self._open = structs.replace(window, page=next_page)
        else:
            self._done, self._open = window.until, None

    def begin_again(self) -> None:
        """Go back to the first page: a place in a list is good for some time only."""
        if self._open is not None:
            self._open = structs.replace(self._open, page="")
