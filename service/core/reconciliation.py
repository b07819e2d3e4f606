"""Finding what no webhook has told, account by account, in the part of its rate that is left for it.

Where a provider lists payments, each look turns the pages of the time since the last one; a payment that is not
decided by then is asked about by itself, again and again. Where it lists none and can be asked, its unpaid sessions
are. Whatever is found goes the way of a webhook's event, so that a payment both tell of counts once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.arrival import apply_event, session_named, session_of, unmatched
from service.core.changes import changes
from service.core.errors import (
    CheckoutError,
    EventKnown,
    ProviderOutcomeUnknown,
    ProviderRejected,
    StoreConflict,
)
from service.core.events import Cause
from service.core.inbox import InboxEvent
from service.core.model import State
from service.core.ports import PaymentReport
from service.core.purpose import Purpose, working_for
from service.core.undecided import (
    RARELY,
    Question,
    about_payment,
    is_due,
    open_payments,
    open_sessions,
)
from service.core.window import ListingProvider, Windows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from service.core.ledger import Ledger
    from service.core.model import Session
    from service.core.ports import Clock, Observer, Provider, ProviderEvent, Store
    from service.core.reconcile import Reconciler
    from service.core.record import Record

INTERVAL = timedelta(minutes=1)
_LONGEST_HEAD_START = timedelta(seconds=30)
_PAGES_A_LOOK = 50
_QUESTIONS_A_LOOK = 50
_FOLLOWED = timedelta(hours=25)
_LOOKS_MISSED = 3
"""An account whose process has missed so many looks is looked through by another one, from the store's mark on."""


class Reconciliation:
    """Looks through every account that can tell, each at its own pace."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        providers: Iterable[Provider],
        reconciler: Reconciler,
        observer: Observer,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self.accounts = [
            AccountReconciliation(
                store=store,
                ledger=ledger,
                provider=provider,
                reconciler=reconciler,
                observer=observer,
                clock=clock,
                interval=interval,
            )
            for provider in providers
            if provider.capabilities.lists_payments or provider.capabilities.retrieve
        ]

    async def run(self) -> None:
        """Look until cancelled."""
        await asyncio.gather(*(account.run() for account in self.accounts))


class AccountReconciliation:
    """Looks through one account; a restart goes on from the mark in the store and loses nothing else."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        provider: Provider,
        reconciler: Reconciler,
        observer: Observer,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._provider = provider
        self._lister: ListingProvider | None = None
        if provider.capabilities.lists_payments and isinstance(provider, ListingProvider):
            self._lister = provider
        self._reconciler = reconciler
        self._observer = observer
        self._clock = clock
        self._interval = interval
        # A webhook that is on its way is no loss.
        self._head_start = min(interval / 2, _LONGEST_HEAD_START)
        self._names = {"provider": provider.name, "account": provider.account}
        self._windows: Windows | None = None
        self._mark: datetime | None = None
        self._attempts: dict[str, Question] = {}
        self._asked: dict[str, datetime] = {}
        self._trouble = ""

    async def run(self) -> None:
        """Look after each interval until cancelled; the first look only notes where to begin."""
        while True:
            await self.look()
            await self._clock.sleep(self._interval)

    async def look(self) -> None:
        """Look once; what goes wrong is noted when it begins, and tried again by the next look."""
        try:
            with working_for(Purpose.RECONCILE):
                await self._look()
        except CheckoutError as error:
            self._failed(error.reason)
        except Exception as error:  # noqa: BLE001 - nothing ends the watch over money
            self._failed(type(error).__name__)
        else:
            self._trouble = ""

    async def _look(self) -> None:
        if not await self._is_mine():
            self._windows, self._attempts = None, {}
            return
        if self._windows is None:
            self._windows = await self._begin()
            return
        if self._lister is not None:
            await self._turn_pages(self._lister, self._windows)
        await self._ask_again()
        await self._remember(self._windows)

    async def _is_mine(self) -> bool:
        now = self._clock.now()
        until = now + _LOOKS_MISSED * self._interval
        return await self._store.look_after(**self._names, now=now, until=until)

    async def _begin(self) -> Windows:
        now = self._clock.now()
        self._mark = await self._store.looked_until(**self._names)
        # A mark in the future would stop every look until then.
        windows = Windows(min(self._mark or now, now))
        await self._remember(windows)
        return windows

    async def _turn_pages(self, provider: ListingProvider, windows: Windows) -> None:
        # Time goes on while pages are turned: what it brings is for the next look.
        until = self._clock.now() - self._head_start
        for _ in range(_PAGES_A_LOOK):
            window = windows.current(until)
            if window is None:
                return
            try:
                listed = await provider.recent(window)
            except ProviderRejected:
                windows.begin_again()
                raise
            for event in listed.events:
                await self._take(provider, event)
            windows.turn(listed.next_page)

    async def _take(self, provider: ListingProvider, event: ProviderEvent) -> None:
        if event.unreadable:
            self._note("reconcile.unreadable", session_id=event.session_id, cause=event.unreadable)
            return
        if event.is_elsewhere:
            # The account that it names lists it too.
            return
        record = await session_of(self._store, provider, event)
        if record is None:
            await self._keep(provider, event)
        elif event.report is None:
            self._follow(event, record, event.occurred)
        elif self._is_news(record, event):
            try:
                async with self._ledger.calling(record):
                    await self._apply(
                        record, await provider.whole(event) if event.is_hint else event
                    )
            except (ProviderRejected, ProviderOutcomeUnknown) as error:
                # One payment that cannot be read keeps nothing else from being found.
                self._follow(event, record, None)
                self._failed(error.reason)

    def _is_news(self, record: Record, event: ProviderEvent) -> bool:
        if event.report is None:
            return False
        session = record.session
        return lifecycle.apply(session, event.report, self._clock.now()) is not session

    async def _apply(self, record: Record, event: ProviderEvent) -> None:
        if not self._is_news(record, event):
            return
        after = await apply_event(
            self._ledger, record, event, self._clock.now(), cause=Cause.LISTING
        )
        self._found(record.session, after.session)

    async def _keep(self, provider: ListingProvider, event: ProviderEvent) -> None:
        # Without our id it is one of the merchant's other sales; and one account may see what another has sold.
        if not isinstance(event.report, PaymentReport) or not event.session_id:
            return
        if await self._store.find(event.session_id) is not None:
            return
        status, names = event.report.status, event.references
        waiting = await self._store.find_waiting(**self._names, references=names)
        if any(known.facts and known.facts.status is status for known in waiting):
            return
        told = await provider.whole(event) if event.is_hint else event
        if told.report is None:
            return
        stored = InboxEvent(
            provider=provider.name,
            account=provider.account,
            event_id=f"{told.event_type}:{told.event_id}",
            event_type=told.event_type,
            received=self._clock.now(),
        )
        with suppress(EventKnown, StoreConflict):
            await self._store.receive(unmatched(stored, told, provider))
            self._note("reconcile.unmatched", event_id=stored.event_id)

    def _follow(self, event: ProviderEvent, record: Record, since: datetime | None) -> None:
        if record.session.state is State.COMPLETED:
            return
        now = self._clock.now()
        known = structs.replace(event, session_id=record.session.session_id)
        question = about_payment(known, since or now)
        if question is not None:
            rarely = structs.replace(question, made=event.occurred or now, pause=RARELY)
            self._attempts.setdefault(question.name, rarely)

    async def _ask_again(self) -> None:
        now = self._clock.now()
        questions = await self._questions(now)
        self._asked = {name: at for name, at in self._asked.items() if name in questions}
        asked = [
            structs.replace(one, asked=self._asked.get(name, one.asked))
            for name, one in questions.items()
        ]
        due = sorted((one for one in asked if is_due(one, now)), key=_last)
        for question in due[:_QUESTIONS_A_LOOK]:
            self._asked[question.name] = now
            await self._ask(question)

    async def _questions(self, now: datetime) -> dict[str, Question]:
        if self._lister is None:
            found = open_sessions(self._store, self._provider, now)
            return {question.name: question async for question in found}
        self._attempts = {
            name: one for name, one in self._attempts.items() if now < one.since + _FOLLOWED
        }
        found = open_payments(self._store, self._provider, now)
        return self._attempts | {question.name: question async for question in found}

    async def _ask(self, question: Question) -> None:
        record = await session_named(self._store, self._provider, question.session_id)
        if record is None or (question.event and record.session.state is State.COMPLETED):
            self._attempts.pop(question.name, None)
            return
        try:
            await self._answer(record, question)
        except (ProviderRejected, ProviderOutcomeUnknown) as error:
            # A provider that does not know it (404) proves nothing about money.
            self._failed(error.reason)

    async def _answer(self, record: Record, question: Question) -> None:
        if question.event is None or self._lister is None:
            after = await self._reconciler.ask(record, self._provider)
            self._found(record.session, after.session)
            return
        async with self._ledger.calling(record):
            told = await self._lister.whole(question.event)
            if told.report is not None:
                await self._apply(record, told)
        if told.report is not None:
            self._attempts.pop(question.name, None)

    async def _remember(self, windows: Windows) -> None:
        # Attempts are known here alone: a restart finds them again by listing them again.
        made = (attempt.made for attempt in self._attempts.values() if attempt.made)
        mark = min((windows.done, *made))
        if mark != self._mark:
            await self._store.look_from(**self._names, moment=mark)
            self._mark = mark

    def _found(self, before: Session, after: Session) -> None:
        if happened := changes(before, after):
            self._note("reconcile.found", session_id=after.session_id, found=happened)

    def _failed(self, reason: str) -> None:
        if reason != self._trouble:
            self._note("reconcile.failed", reason=reason)
        self._trouble = reason

    def _note(self, event: str, **fields: object) -> None:
        self._observer.noted(event, **self._names, **fields)


def _last(question: Question) -> datetime:
    return question.asked or question.since
