"""Deletes what has been kept for as long as it is to be kept, a little at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from service.core.errors import StoreUnavailable
from service.core.model import DisputeStatus, PaymentStatus, ProviderLink, State
from service.core.page import provider_link
from service.core.payments import dispute_status
from service.core.record import due_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.ports import Clock, Observer, Store
    from service.core.record import Record
    from service.core.retention import Place

BATCH = 100
"""How many rows one statement deletes: whoever writes at that moment waits for no more of them."""

_PAUSE = timedelta(milliseconds=50)
_ROUND = timedelta(minutes=1)
_MATCHED_RETENTION = timedelta(days=30)
_UNMATCHED_RETENTION = timedelta(days=14)
_POSITION_RETENTION = timedelta(days=7)
_POSITIONS = 10 * BATCH
_ENDED = (State.COMPLETED, State.EXPIRED, State.FAILED)


class Forgetting:
    """Goes through what is old, again and again."""

    def __init__(
        self, *, store: Store, observer: Observer, clock: Clock, keep: timedelta | None
    ) -> None:
        """Keep sessions for `keep` after their last change; for ever where it is None."""
        self._store = store
        self._observer = observer
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Forget until cancelled; a store that is away is waited for."""
        while True:
            try:
                await self.forget()
            except StoreUnavailable as error:
                self._observer.noted("retention.failed", reason=error.reason)
            await self._clock.sleep(_ROUND)

    async def forget(self) -> None:
        """Go through everything once."""
        await self._purge_events()
        await self._forget_positions()
        if self._keep is not None:
            await self._delete_sessions(self._keep)

    async def _purge_events(self) -> None:
        now = self._clock.now()
        while (
            await self._store.purge_events(
                matched_before=now - _MATCHED_RETENTION,
                unmatched_before=now - _UNMATCHED_RETENTION,
                limit=BATCH,
            )
            == BATCH
        ):
            await self._clock.sleep(_PAUSE)

    async def _forget_positions(self) -> None:
        # Only what has a position is forgotten, and where nobody watches nobody else gives any.
        while await self._store.number_events(_POSITIONS) == _POSITIONS:
            await self._clock.sleep(_PAUSE)
        before = self._clock.now() - _POSITION_RETENTION
        while await self._store.forget_positions(before, _POSITIONS) == _POSITIONS:
            await self._clock.sleep(_PAUSE)

    async def _delete_sessions(self, keep: timedelta) -> None:
        now = self._clock.now()
        deleted = 0
        place: Place | None = None
        while old := await self._store.list_old(now - keep, place, BATCH):
            deleted += await self._delete([one for one in old if is_over(one, now - keep, now)])
            place = (old[-1].session.create_time, old[-1].session.session_id)
            await self._clock.sleep(_PAUSE)
        if deleted:
            self._observer.noted("retention.sessions_deleted", sessions=deleted)

    async def _delete(self, records: Sequence[Record]) -> int:
        return await self._store.delete_sessions(records) if records else 0


def is_over(record: Record, changed_before: datetime, now: datetime) -> bool:
    """Tell whether a session has not changed since a time and nothing is left that could happen to it."""
    session = record.session
    return (
        session.state in _ENDED
        and session.update_time < changed_before
        and session.payment_status is not PaymentStatus.PROCESSING
        and due_time(record) is None
        and provider_link(session, now) in {None, ProviderLink.CLOSED}
        and dispute_status(session) is not DisputeStatus.OPEN
    )
