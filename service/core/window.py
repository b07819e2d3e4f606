"""What providers that list payments tell of a span of time, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from service.core.ports import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.ports import ProviderEvent


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

        `event_id` names the payment and where it stands. An event without a report tells of an attempt that is
        not decided. A hint has a report that is short: enough to tell whether it is news, and `whole` is asked
        before it is applied. Payments that cannot be of a session may be left out. What is `unreadable` keeps
        nothing else from being read. Raises as `create`.
        """

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Return a hint with everything that a webhook would have told; no report for what no session can use.

        Raises as `create`.
        """
