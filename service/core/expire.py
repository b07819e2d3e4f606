"""Ending a session on request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import SessionCompleted, StoreUnavailable
from service.core.events import Cause
from service.core.lifecycle import ExpireRequested
from service.core.model import State
from service.core.record import AttemptOutcome, Record
from service.core.replay import waiting
from service.core.view import SessionView

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.background import Background
    from service.core.closing import Closer
    from service.core.ledger import Ledger
    from service.core.ports import Clock


class ExpireSession:
    """Ends a session; the end is stored before anything else, so that late payments are judged by it."""

    def __init__(
        self, *, ledger: Ledger, closer: Closer, background: Background, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._closer = closer
        self._background = background
        self._clock = clock

    async def __call__(self, session_id: str) -> SessionView:
        """End the session, or return it where it has ended already.

        Raises SessionNotFound, SessionCompleted, PaymentInProgress or RequestInFlight.
        """
        now = self._clock.now()

        def decide(record: Record) -> Record:
            if _is_being_created(record, now):
                raise waiting(session_id)
            ended = lifecycle.apply(record.session, ExpireRequested(), now)
            return structs.replace(record, session=ended)

        record = await self._ledger.change(
            await self._ledger.load(session_id), decide, cause=Cause.EXPIRE_REQUESTED
        )
        if record.session.closing_time == now:
            record = await self._close(record)
        if record.session.state is State.COMPLETED:
            raise SessionCompleted("the session was paid meanwhile", session_id=session_id)
        return SessionView(record.session, self._clock.now())

    async def _close(self, record: Record) -> Record:
        # The caller may leave, and the end is stored already: what is left is tried again by the sweep.
        closing = self._background.start(self._closer.close(record))
        try:
            return await asyncio.shield(closing)
        except StoreUnavailable:
            return record


def _is_being_created(record: Record, now: datetime) -> bool:
    return (
        record.session.state is State.CREATING
        and record.attempt.outcome is AttemptOutcome.IN_FLIGHT
        and now < record.attempt.lease_until
    )
