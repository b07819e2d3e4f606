"""Taking over what a process left half done when it died.

An attempt whose lease has run out is nobody's. What follows depends on how its provider call may be repeated and
on whether anybody can ask again:

            with a request id                          without
REPLAY      the stored body is sent again to learn     FAILED: nobody holds the page's address
RECREATE    waits for the caller's retry, or its end   FAILED: nobody holds the page's address
NEVER       UNRESOLVED                                 UNRESOLVED

Recovery never creates anything new: only a caller's retry does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import ProviderError, ProviderNotConfigured, ProviderOutcomeUnresolved
from service.core.lifecycle import Ended, Event
from service.core.model import Failure, UnknownOutcomeStrategy
from service.core.ports import CreateCall
from service.core.record import AttemptOutcome, Record
from service.core.replay import is_abandoned

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from service.core.attempts import Attempts
    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer

_FAILURE = Failure(reason=ProviderOutcomeUnresolved.reason)


class Recovery:
    """Decides what becomes of abandoned attempts."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        attempts: Attempts,
        observer: Observer,
        clock: Clock,
        lease: timedelta,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._attempts = attempts
        self._observer = observer
        self._clock = clock
        self._lease = lease

    async def recover(self, record: Record) -> Record:
        """Take over an abandoned attempt, unless somebody did before; return the record as it then is."""
        is_mine = False

        def take(current: Record) -> Record:
            nonlocal is_mine
            decided = self._take(current)
            # Whoever lost the race finds a higher number too, and must leave that attempt alone.
            is_mine = decided is not current
            return decided

        taken = await self._ledger.change(record, take)
        session_id = record.session.session_id
        if not is_mine:
            return taken
        self._observer.noted("attempt.recovered", session_id=session_id)
        if taken.attempt.outcome is AttemptOutcome.IN_FLIGHT:
            await self._replay(taken)
        return await self._ledger.load(session_id)

    def _take(self, record: Record) -> Record:
        now = self._clock.now()
        if not is_abandoned(record, now):
            return record
        attempt = structs.replace(record.attempt, number=record.attempt.number + 1)
        if self._can_replay(record):
            attempt = structs.replace(attempt, lease_until=now + self._lease)
            return structs.replace(record, attempt=attempt)
        attempt = structs.replace(attempt, outcome=AttemptOutcome.UNKNOWN)
        taken = structs.replace(record, attempt=attempt)
        if attempt.strategy is UnknownOutcomeStrategy.NEVER:
            return _ended(taken, Event.LEFT_UNRESOLVED, now)
        return taken if record.key else _ended(taken, Event.GIVEN_UP, now)

    def _can_replay(self, record: Record) -> bool:
        is_replay = record.attempt.strategy is UnknownOutcomeStrategy.REPLAY
        if not (is_replay and record.prepared and record.key):
            return False
        try:
            self._directory.get(record.session.provider, record.session.account)
        except ProviderNotConfigured:
            return False
        return True

    async def _replay(self, record: Record) -> None:
        prepared, session = record.prepared, record.session
        assert prepared is not None  # noqa: S101 - replayed only where it is
        provider = self._directory.get(session.provider, session.account)
        call = CreateCall(
            session_id=session.session_id,
            attempt=record.attempt.number,
            request=prepared.request,
            expire_time=session.expire_time,
            body=prepared.body,
        )
        try:
            await self._attempts.run(record, provider, call)
        except ProviderError as error:
            self._observer.noted(
                "attempt.recovery_failed", session_id=session.session_id, reason=error.reason
            )


def _ended(record: Record, event: Event, now: datetime) -> Record:
    session = lifecycle.apply(record.session, Ended(event, _FAILURE), now)
    return structs.replace(record, session=session)
