"""Whose an event is: the account its webhook was sent to, or another one that the same endpoint serves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from service.core.arrival import session_named, session_of
from service.core.errors import ProviderRejected, WebhookNotVerified
from service.core.ports import PaymentReport, Provider, ProviderEvent
from service.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.core.directory import Directory
    from service.core.ports import Store


class Delivery(Struct, frozen=True):
    """A webhook request as it came in, and when."""

    headers: Mapping[str, str]
    body: bytes
    received: datetime


class Placed(Struct, frozen=True):
    """An event as the account that it is of reads it, and its session where one is known."""

    adapter: Provider
    event: ProviderEvent
    record: Record | None = None


class Placing:
    """Finds the account and the session of an event."""

    def __init__(self, *, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    async def __call__(
        self, delivery: Delivery, number: int, adapter: Provider, event: ProviderEvent
    ) -> Placed:
        """Place the event of that number in a delivery, verified and read by `adapter`.

        Another account counts only where its own secrets verify the delivery too. Raises as `Provider.locate`.
        """
        addressed = Placed(adapter, event)
        record = await self._known(addressed)
        if record is not None:
            return Placed(adapter, event, record)
        others = list(self._others(delivery, number, adapter))
        for other in others:
            record = await self._known(other)
            if record is not None:
                return Placed(other.adapter, other.event, record)
        claims = [claim for claim in (addressed, *others) if is_usable(claim.event)]
        return await self._asked(claims) if claims else addressed

    async def _known(self, claim: Placed) -> Record | None:
        if not is_usable(claim.event):
            return None
        return await session_of(self._store, claim.adapter, claim.event)

    def _others(self, delivery: Delivery, number: int, adapter: Provider) -> Iterator[Placed]:
        for other in self._directory.all():
            if other.name != adapter.name or other.account == adapter.account:
                continue
            try:
                other.verify(delivery.headers, delivery.body, delivery.received)
            except WebhookNotVerified:
                continue
            yield Placed(other, other.parse(delivery.headers, delivery.body)[number])

    async def _asked(self, claims: Sequence[Placed]) -> Placed:
        first = claims[0]
        if not isinstance(first.event.report, PaymentReport):
            return first
        try:
            session_id = await first.adapter.locate(first.event)
        except ProviderRejected:
            # Sent again, it would be refused again: the payment is kept where it can be seen.
            return first
        for claim in claims:
            record = await session_named(self._store, claim.adapter, session_id)
            if record is not None:
                return Placed(claim.adapter, claim.event, record)
        return first


def is_usable(event: ProviderEvent) -> bool:
    """Tell whether a session of the account may use an event."""
    return event.report is not None or event.is_hint
