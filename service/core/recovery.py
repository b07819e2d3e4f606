"""Taking over what a process left half done when it died.

An attempt whose lease has run out is nobody's. What follows depends on how its provider call may be repeated and
on whether anybody can ask again:

            with a request id                          without
REPLAY      the stored body is sent again to learn     FAILED: nobody holds the page's address
SEARCH      one find is kept for the caller's retry,   FAILED, and the find is closed where it can be;
            several: UNRESOLVED; none: as RECREATE     several: UNRESOLVED
RECREATE    waits for the caller's retry, or its end   FAILED: nobody holds the page's address
NEVER       UNRESOLVED                                 UNRESOLVED

Recovery never creates anything new: only a caller's retry does, and it goes on from what was kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from service.core.attempts import ended
from service.core.errors import ProviderError, ProviderNotConfigured
from service.core.events import Cause
from service.core.lifecycle import Event
from service.core.model import UnknownOutcomeStrategy
from service.core.ports import CreateCall
from service.core.record import AttemptOutcome, Record
from service.core.replay import is_abandoned
from service.core.search import adopted, learnt

if TYPE_CHECKING:
    from datetime import timedelta

    from service.core.attempts import Attempts
    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer, Provider, Step
    from service.core.search import Search


class Recovery:
    """Decides what becomes of abandoned attempts."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        attempts: Attempts,
        search: Search,
        observer: Observer,
        clock: Clock,
        lease: timedelta,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._attempts = attempts
        self._search = search
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

        taken = await self._ledger.change(record, take, cause=Cause.ATTEMPT_ABANDONED)
        session_id = record.session.session_id
        if not is_mine:
            return taken
        self._observer.noted("attempt.recovered", session_id=session_id)
        if taken.attempt.outcome is AttemptOutcome.IN_FLIGHT:
            async with self._ledger.calling(taken):
                await self._learn(taken)
        return await self._ledger.load(session_id)

    def _take(self, record: Record) -> Record:
        now = self._clock.now()
        if not is_abandoned(record, now):
            return record
        attempt = structs.replace(record.attempt, number=record.attempt.number + 1)
        if self._can_learn(record):
            attempt = structs.replace(attempt, lease_until=now + self._lease)
            return structs.replace(record, attempt=attempt)
        attempt = structs.replace(attempt, outcome=AttemptOutcome.UNKNOWN)
        taken = structs.replace(record, attempt=attempt)
        if attempt.strategy is UnknownOutcomeStrategy.NEVER:
            return ended(taken, Event.LEFT_UNRESOLVED, now)
        return taken if record.key else ended(taken, Event.GIVEN_UP, now)

    def _can_learn(self, record: Record) -> bool:
        is_search = record.attempt.strategy is UnknownOutcomeStrategy.SEARCH
        is_replay = record.attempt.strategy is UnknownOutcomeStrategy.REPLAY
        if not (record.prepared and (is_search or (is_replay and record.key))):
            return False
        try:
            self._directory.get(record.session.provider, record.session.account)
        except ProviderNotConfigured:
            return False
        return True

    async def _learn(self, record: Record) -> None:
        prepared, session = record.prepared, record.session
        assert prepared is not None  # noqa: S101 - there is nothing to learn with where it is not
        provider = self._directory.get(session.provider, session.account)
        call = CreateCall(
            session_id=session.session_id,
            attempt=record.attempt.number,
            request=prepared.request,
            expire_time=session.expire_time,
            body=prepared.body,
            kept=record.attempt.kept,
        )
        if record.attempt.strategy is UnknownOutcomeStrategy.SEARCH:
            await self._conclude(record, provider, call, await self._found(record, provider, call))
            return
        try:
            await self._attempts.run(record, provider, call)
        except ProviderError as error:
            self._failed(record, error)

    async def _found(self, record: Record, provider: Provider, call: CreateCall) -> list[Step]:
        try:
            return await self._search(record, provider, call)
        except ProviderError as error:
            self._failed(record, error)
            return []

    async def _conclude(
        self, record: Record, provider: Provider, call: CreateCall, found: list[Step]
    ) -> None:
        now = self._clock.now()
        payable_until = now + provider.lifetime(call.request)

        def decide(current: Record) -> Record:
            if current.attempt != record.attempt:
                return current
            attempt = structs.replace(current.attempt, outcome=AttemptOutcome.UNKNOWN)
            known = structs.replace(current, attempt=attempt)
            after = adopted(known, found, payable_until, now)
            return after if record.key else ended(after, Event.GIVEN_UP, now)

        await self._ledger.change(
            record, decide, cause=Cause.ATTEMPT_ABANDONED, references=learnt(found)
        )

    def _failed(self, record: Record, error: ProviderError) -> None:
        session_id = record.session.session_id
        self._observer.noted("attempt.recovery_failed", session_id=session_id, reason=error.reason)
