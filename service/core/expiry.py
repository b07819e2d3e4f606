"""What the passing of time calls for: expiring, taking over, closing. Reads do not wait for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import SessionNotFound, StoreUnavailable
from service.core.events import Cause
from service.core.lifecycle import Due
from service.core.model import State
from service.core.record import AttemptOutcome, Record
from service.core.replay import is_abandoned

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from service.core.background import Background
    from service.core.closing import Closer
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer, Store
    from service.core.recovery import Recovery

_BATCH = 100
# Whoever dies over a batch leaves it to others after this.
_CLAIM = timedelta(seconds=10)
_CALLS_AT_ONCE = 8
# The store commits together what is written together; more at once would keep readers waiting.
_AT_ONCE = 8


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
        """Do what is due for one batch of sessions; return for how many."""
        now = self._clock.now()
        claimed = await self._store.claim_due(now, now + _CLAIM, _BATCH)
        due = iter(claimed)

        async def one_after_another() -> int:
            return sum([await self._handle(session_id, now) for session_id in due])

        if len(claimed) < _AT_ONCE:
            return await one_after_another()
        tasks = [one_after_another() for _ in range(_AT_ONCE)]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(count for count in done if isinstance(count, int))

    async def _handle(self, session_id: str, now: datetime) -> int:
        try:
            record = await self._ledger.load(session_id)
        except SessionNotFound:
            return 0
        if is_abandoned(record, now):
            return await self._call(self._recovery.recover(record))
        if record.session.closing_time is not None:
            # Also of a session that was completed since: it would stay due for ever.
            return await self._call(self._closer.close(record))
        expired = await self._ledger.change(
            record, lambda current: _expired(current, now), cause=Cause.TIME_PASSED
        )
        return int(expired != record)

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


def _expired(record: Record, now: datetime) -> Record:
    session = record.session
    if session.state not in (State.CREATING, State.OPEN) or now < session.expire_time:
        return record
    running = record.attempt.outcome is AttemptOutcome.IN_FLIGHT
    if session.state is State.CREATING and running and now < record.attempt.lease_until:
        return record
    return structs.replace(record, session=lifecycle.apply(session, Due(), now))
