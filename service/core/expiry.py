"""What the passing of time calls for: expiring, taking over, closing. Reads do not wait for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import StoreUnavailable
from service.core.events import Cause
from service.core.lifecycle import Due
from service.core.model import State
from service.core.record import AttemptOutcome, Record
from service.core.replay import is_abandoned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from service.core.background import Background
    from service.core.closing import Closer
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer, Store
    from service.core.recovery import Recovery

_BATCH = 200
# While the store writes one set, the next is decided.
_SETS_AT_ONCE = 2
# As many a second are enough: the rest of the time is the readers'.
_PACE = 5000
# Whoever dies over a batch leaves it to others after this.
_CLAIM = timedelta(seconds=10)
_CALLS_AT_ONCE = 8


class ExpirySweep:
    """Finds the sessions whose time has come and does what is due."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        recovery: Recovery,
        closer: Closer,
        background: Background,
        observer: Observer,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._recovery = recovery
        self._closer = closer
        self._background = background
        self._observer = observer
        self._clock = clock
        self._interval = interval
        self._turns = asyncio.Semaphore(_CALLS_AT_ONCE)
        self._unreadable: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Sweep until cancelled; a store that is away is waited for."""
        while True:
            try:
                while await self.sweep() == _BATCH:
                    pass
            except StoreUnavailable as error:
                self._observer.noted("expiry.sweep_failed", reason=error.reason)
            await self._clock.sleep(self._interval)

    async def sweep(self) -> int:
        """Do what is due for one batch of sessions; return for how many, those that cannot be read among them."""
        now, began = self._clock.now(), asyncio.get_running_loop().time()
        claimed = await self._store.claim_due(now, now + _CLAIM, _BATCH)
        self._tell_unreadable(claimed.unreadable)
        overdue: list[Record] = []
        for_others: list[Record] = []
        for record in claimed.records:
            (for_others if _needs_provider(record, now) else overdue).append(record)
        expired = await self._expire(overdue, now, began)
        handled = expired + sum([await self._hand_over(record, now) for record in for_others])
        # Damaged ones alone stay due: they are no reason to look again at once.
        return handled + len(claimed.unreadable) if handled else 0

    async def _expire(self, records: Sequence[Record], now: datetime, began: float) -> int:
        size = self._store.set_size
        loop, starts, expired = asyncio.get_running_loop(), iter(range(0, len(records), size)), 0

        async def one_after_another() -> None:
            nonlocal expired
            for start in starts:
                some = records[start : start + size]
                changed = await self._ledger.change_each(
                    some, lambda record: _expired(record, now), cause=Cause.TIME_PASSED
                )
                # Only now, as the other one has added to it meanwhile.
                expired += changed
                await asyncio.sleep(began + (start + len(some)) / _PACE - loop.time())

        tasks = [one_after_another() for _ in range(_SETS_AT_ONCE)]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        return expired

    def _tell_unreadable(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            if session_id not in self._unreadable:
                self._observer.noted("expiry.session_unreadable", session_id=session_id)
        self._unreadable = frozenset(session_ids)

    async def _hand_over(self, record: Record, now: datetime) -> int:
        if is_abandoned(record, now):
            return await self._call(self._recovery.recover(record))
        # Also of a session that was completed since: it would stay due for ever.
        return await self._call(self._closer.close(record))

    async def _call(self, work: Awaitable[Record]) -> int:
        """Start work that calls a provider: the sweep goes on, and so does the work when it ends."""
        await self._turns.acquire()
        self._background.start(self._finish(work))
        return 1

    async def _finish(self, work: Awaitable[Record]) -> None:
        try:
            await work
        except StoreUnavailable as error:
            self._observer.noted("expiry.sweep_failed", reason=error.reason)
        finally:
            self._turns.release()


def _needs_provider(record: Record, now: datetime) -> bool:
    return is_abandoned(record, now) or record.session.closing_time is not None


def _expired(record: Record, now: datetime) -> Record:
    session = record.session
    if session.state not in (State.CREATING, State.OPEN) or now < session.expire_time:
        return record
    running = record.attempt.outcome is AttemptOutcome.IN_FLIGHT
    if session.state is State.CREATING and running and now < record.attempt.lease_until:
        return record
    return structs.replace(record, session=lifecycle.apply(session, Due(), now))
