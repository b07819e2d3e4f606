"""Recording that time has run out, soon after it has; reads do not wait for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import SessionNotFound, StoreUnavailable
from service.core.lifecycle import Due
from service.core.model import State
from service.core.record import AttemptOutcome, Record

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer, Store

_BATCH = 100
_MATCHED_RETENTION = timedelta(days=30)
_UNMATCHED_RETENTION = timedelta(days=14)


class ExpirySweep:
    """Expires what is due and forgets events past their retention."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        observer: Observer,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._observer = observer
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Sweep until cancelled; a store that is away is waited for."""
        while True:
            try:
                while await self.sweep() == _BATCH:
                    pass
                await self._purge()
            except StoreUnavailable as error:
                self._observer.noted("expiry.sweep_failed", reason=error.reason)
            await self._clock.sleep(self._interval)

    async def sweep(self) -> int:
        """Record one batch of due sessions; return how many changed."""
        now = self._clock.now()
        changed = 0
        for session_id in await self._store.list_due(now, _BATCH):
            changed += await self._expire(session_id, now)
        return changed

    async def _expire(self, session_id: str, now: datetime) -> int:
        try:
            record = await self._ledger.load(session_id)
        except SessionNotFound:
            return 0
        return int(await self._ledger.change(record, lambda r: _due(r, now)) != record)

    async def _purge(self) -> None:
        now = self._clock.now()
        await self._store.purge_events(
            matched_before=now - _MATCHED_RETENTION,
            unmatched_before=now - _UNMATCHED_RETENTION,
            limit=_BATCH,
        )


def _due(record: Record, now: datetime) -> Record:
    session = record.session
    if session.state not in (State.CREATING, State.OPEN) or now < session.expire_time:
        return record
    running = record.attempt.outcome is AttemptOutcome.IN_FLIGHT
    if session.state is State.CREATING and running and now < record.attempt.lease_until:
        return record
    return structs.replace(record, session=lifecycle.apply(session, Due(), now))
