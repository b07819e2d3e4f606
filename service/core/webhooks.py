"""Receiving providers' events: verified, stored once, applied once, then answered."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from service.core.arrival import apply_event, unmatched
from service.core.calls import Gathering
from service.core.errors import EventKnown, ProviderError, StoreConflict
from service.core.events import Cause
from service.core.hints import read_again
from service.core.inbox import InboxEvent
from service.core.placing import Delivery, Placing, is_usable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import (
        Clock,
        Observer,
        Provider,
        ProviderEvent,
        ProviderSession,
        Store,
    )
    from service.core.record import Record


class Receipt(enum.Enum):
    """What became of a verified event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"
    FOREIGN = "foreign"


class PartlyTaken(Exception):
    """Some events of a batch are durable and others are not: the provider is told which to send again."""

    def __init__(
        self,
        *,
        receipts: Sequence[Receipt],
        event_ids: Sequence[str],
        failures: Sequence[Exception],
    ) -> None:
        super().__init__(f"{len(failures)} events were not taken")
        self.receipts = tuple(receipts)
        self.event_ids = tuple(event_ids)
        self.failures = tuple(failures)


class ReceiveWebhook:
    """Takes one webhook request of one account."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        directory: Directory,
        observer: Observer,
        clock: Clock,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._directory = directory
        self._place = Placing(store=store, directory=directory)
        self._observer = observer
        self._clock = clock

    async def __call__(
        self, provider: str, account: str, headers: Mapping[str, str], body: bytes
    ) -> Sequence[Receipt]:
        """Return what became of each event once all of it is durable.

        Raises ProviderNotConfigured, WebhookNotVerified, ValueError for a body that is no webhook,
        StoreUnavailable, and what `Provider.locate` and, for a hint, `Provider.retrieve` raise; the provider
        then sends it again. Raises PartlyTaken where the provider takes an acknowledgement of each event.
        """
        adapter = self._directory.get(provider, account)
        delivery = Delivery(headers, body, self._clock.now())
        adapter.verify(headers, body, delivery.received)
        events = adapter.parse(headers, body)
        if not all(event.stands_alone for event in events):
            return [
                await self._take(delivery, number, adapter, event)
                for number, event in enumerate(events)
            ]
        return await self._take_each(delivery, adapter, events)

    async def _take_each(
        self, delivery: Delivery, adapter: Provider, events: Sequence[ProviderEvent]
    ) -> Sequence[Receipt]:
        taken: dict[str, Receipt] = {}
        failures: list[Exception] = []
        for number, event in enumerate(events):
            try:
                if event.unreadable:
                    raise ValueError(event.unreadable)  # noqa: TRY301 - told as any other failure
                taken[event.event_id] = await self._take(delivery, number, adapter, event)
            except Exception as error:  # noqa: BLE001 - what failed is sent again, whatever it was
                failures.append(error)
        if failures and not taken:
            raise failures[0]
        receipts = [*taken.values()]
        if failures:
            raise PartlyTaken(receipts=receipts, event_ids=[*taken], failures=failures)
        return receipts

    async def _take(
        self, delivery: Delivery, number: int, adapter: Provider, event: ProviderEvent
    ) -> Receipt:
        with Gathering():
            return await self._taken(delivery, number, adapter, event)

    async def _taken(
        self, delivery: Delivery, number: int, adapter: Provider, event: ProviderEvent
    ) -> Receipt:
        if not is_usable(event) and not event.is_elsewhere:
            return self._note(adapter, event, Receipt.IGNORED)
        placed = await self._place(delivery, number, adapter, event)
        adapter, event, record = placed.adapter, placed.event, placed.record
        if event.is_elsewhere:
            return self._note(adapter, event, Receipt.FOREIGN)
        now = delivery.received
        stored = InboxEvent(
            provider=adapter.name,
            account=adapter.account,
            event_id=event.event_id,
            event_type=event.event_type,
            received=now,
            session_id=record.session.session_id if record else "",
            body=event.body if event.stands_alone else delivery.body,
        )
        answer = None
        if event.is_hint and record is not None:
            answer = await self._read_again(record, adapter, event)
        try:
            if record is None:
                await self._store.receive(unmatched(stored, event, adapter))
                return self._note(adapter, event, Receipt.UNMATCHED)
            await self._apply(record, event, now, answer, stored)
        except EventKnown:
            if record is not None and answer is not None:
                # Two hints of one name may be two pieces of news: what was read counts, not who told of it.
                await self._apply(record, event, now, answer)
            if record is not None:
                await self._ledger.note(record, stored)
            return self._note(adapter, event, Receipt.DUPLICATE)
        except StoreConflict:
            # Its session became known while we looked for it.
            return await self._taken(delivery, number, adapter, event)
        return self._note(adapter, event, Receipt.APPLIED, record.session.session_id)

    async def _read_again(
        self, record: Record, adapter: Provider, event: ProviderEvent
    ) -> ProviderSession | None:
        try:
            return await read_again(adapter, event, record.session)
        except ProviderError:
            await self._ledger.note(record)
            raise

    async def _apply(
        self,
        record: Record,
        event: ProviderEvent,
        now: datetime,
        answer: ProviderSession | None,
        stored: InboxEvent | None = None,
    ) -> None:
        await apply_event(
            self._ledger, record, event, now, cause=Cause.WEBHOOK, answer=answer, stored=stored
        )

    def _note(
        self, adapter: Provider, event: ProviderEvent, receipt: Receipt, session_id: str = ""
    ) -> Receipt:
        self._observer.noted(
            f"webhook.{receipt.value}",
            provider=adapter.name,
            account=adapter.account,
            event_type=event.event_type,
            event_id=event.event_id,
            session_id=session_id,
        )
        return receipt
