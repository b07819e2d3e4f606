"""One attempt to create at the provider, from the sent request to the stored outcome."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderOutcomeUnresolved,
    ProviderRejected,
    SessionNotFound,
    StoreUnavailable,
)
from service.core.events import Cause
from service.core.lifecycle import Answered, Ended, Event
from service.core.model import Failure, SessionWarning, State, UnknownOutcomeStrategy
from service.core.ports import Step
from service.core.record import Attempt, AttemptOutcome, Record
from service.core.replay import waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from service.core.background import Background
    from service.core.ledger import Ledger
    from service.core.model import Session
    from service.core.ports import Clock, CreateCall, Provider, ProviderSession


_KEEP_PAUSE = timedelta(milliseconds=500)
_UNFINISHED = (State.CREATING, State.OPEN)
_UNRESOLVED = Failure(reason=ProviderOutcomeUnresolved.reason)
_PREPARED = (UnknownOutcomeStrategy.REPLAY, UnknownOutcomeStrategy.SEARCH)


class Attempts:
    """Calls the provider and stores what came of it; results of superseded attempts change no state."""

    def __init__(
        self, *, ledger: Ledger, background: Background, clock: Clock, lease: timedelta
    ) -> None:
        self._ledger = ledger
        self._background = background
        self._clock = clock
        self._lease = lease

    async def begin(self, record: Record) -> Record:
        """Store a new record and return it. Raises RequestIdTaken."""
        try:
            return await self._ledger.create(record)
        except StoreUnavailable:
            if record.key:
                self._background.start(self._later(record, lambda: self._free(record)))
            raise

    async def run(self, record: Record, provider: Provider, call: CreateCall) -> Session:
        """Return the opened session, or raise the provider's error with the outcome stored.

        Raises RequestInFlight where a later attempt is still running.
        """
        try:
            answer = await provider.create(call)
            while isinstance(answer, Step):
                stored = await self._advanced(record, provider, call, answer)
                if stored.session.state not in _UNFINISHED or not _is_of(record, stored):
                    return self._shown(record, stored, provider, answer)
                # What was begun is ended: the caller's deadline has had its say before the first call.
                call = structs.replace(call, kept=answer.kept, connect_within=None)
                record = stored
                answer = await provider.create(call)
        except ProviderError as error:
            raise await self._failed(record, error) from error
        return await self._answered(record, provider, call, answer)

    async def _advanced(
        self, record: Record, provider: Provider, call: CreateCall, step: Step
    ) -> Record:
        now = self._clock.now()
        payable_until = now + provider.lifetime(call.request)

        def decide(current: Record) -> Record:
            if not _is_of(record, current):
                return _orphaned(current, step)
            held = structs.replace(current.attempt, lease_until=now + self._lease)
            current = structs.replace(current, attempt=held)
            return advanced(current, step, payable_until, now)

        return await self._keep(record, decide, references(step))

    async def _answered(
        self, record: Record, provider: Provider, call: CreateCall, answer: ProviderSession
    ) -> Session:
        now = self._clock.now()
        happening = Answered(answer, now + provider.lifetime(call.request))

        def decide(current: Record) -> Record:
            if not _is_of(record, current):
                return _orphaned(current, answer)
            return Record(
                session=lifecycle.apply(current.session, happening, now),
                attempt=_outcome(current, AttemptOutcome.ANSWERED),
                key=current.key,
                fingerprint=current.fingerprint,
            )

        stored = await self._keep(record, decide, references(answer))
        return self._shown(record, stored, provider, answer)

    def _shown(
        self, record: Record, stored: Record, provider: Provider, answer: ProviderSession
    ) -> Session:
        session = stored.session
        if session.state is State.CREATING:
            # A later attempt holds the session: without its answer there is no page to show.
            raise waiting(session.session_id)
        is_orphan = session.provider_session_id != answer.provider_session_id
        is_made = not (isinstance(answer, Step) and answer.preexisting)
        if is_orphan and is_made and not _is_of(record, stored) and provider.capabilities.cancel:
            self._background.start(self._cancel(stored, provider, answer))
        return session

    async def _cancel(self, record: Record, provider: Provider, orphan: ProviderSession) -> None:
        # Once is enough: nobody holds its address, and what is paid all the same is known by its references.
        with suppress(ProviderError):
            async with self._ledger.calling(record):
                await provider.cancel(orphan.provider_session_id, orphan.details)

    async def _failed(self, record: Record, error: ProviderError) -> ProviderError:
        event, outcome, raised = _consequence(record, error)
        now = self._clock.now()

        def decide(current: Record) -> Record:
            if not _is_of(record, current):
                return current
            session = current.session
            if event is not None:
                session = lifecycle.apply(session, Ended(event, _failure(raised)), now)
            return structs.replace(current, session=session, attempt=_outcome(current, outcome))

        await self._keep(record, decide)
        return raised

    async def _keep(
        self, record: Record, decide: Callable[[Record], Record], learnt: Sequence[str] = ()
    ) -> Record:
        try:
            return await self._stored(record, decide, learnt)
        except StoreUnavailable:
            # The caller is told; what the provider did must not be forgotten for it.
            self._background.start(
                self._later(record, lambda: self._stored(record, decide, learnt))
            )
            raise

    async def _free(self, record: Record) -> None:
        # It may be stored though nobody was told so: a repeat must not wait for an attempt that is not made.
        with suppress(SessionNotFound):
            await self._stored(await self._ledger.load(record.session.session_id), _unsent)

    async def _stored(
        self, record: Record, decide: Callable[[Record], Record], learnt: Sequence[str] = ()
    ) -> Record:
        return await self._ledger.change(
            record, decide, cause=Cause.CREATE_ANSWERED, references=learnt
        )

    async def _later(self, record: Record, step: Callable[[], Awaitable[object]]) -> None:
        while self._clock.now() < record.attempt.lease_until:
            await self._clock.sleep(_KEEP_PAUSE)
            with suppress(StoreUnavailable):
                await step()
                return


def references(answer: ProviderSession) -> list[str]:
    """Return what may lead from the provider's events back to the session."""
    found = [f"session:{answer.provider_session_id}"]
    found += [f"payment:{report.payment_id}" for report in answer.payments]
    found += answer.references
    if answer.subscription_id:
        found.append(f"subscription:{answer.subscription_id}")
    return found


def advanced(record: Record, step: Step, payable_until: datetime, now: datetime) -> Record:
    """Return the record of a create that has come as far as `step`."""
    return structs.replace(
        record,
        session=lifecycle.apply(record.session, Answered(step, payable_until), now),
        attempt=structs.replace(record.attempt, kept=dict(step.kept), strategy=step.strategy),
        prepared=record.prepared if step.strategy in _PREPARED else None,
    )


def ended(record: Record, event: Event, now: datetime) -> Record:
    """Return the record of a create that nobody goes on with: GIVEN_UP or LEFT_UNRESOLVED."""
    session = lifecycle.apply(record.session, Ended(event, _UNRESOLVED), now)
    return structs.replace(record, session=session)


def _is_of(record: Record, current: Record) -> bool:
    return current.attempt.number == record.attempt.number


def _consequence(
    record: Record, error: ProviderError
) -> tuple[Event | None, AttemptOutcome, ProviderError]:
    """Decide what an attempt's error means: for the state, for the next attempt, for the caller."""
    if isinstance(error, ProviderRejected):
        return Event.REFUSED, AttemptOutcome.ANSWERED, error
    if not isinstance(error, ProviderOutcomeUnknown):
        # Nothing was sent; without a request id nobody can come back for a second attempt.
        return (None if record.key else Event.GIVEN_UP), AttemptOutcome.NOT_SENT, error
    if record.attempt.strategy is UnknownOutcomeStrategy.NEVER:
        return Event.LEFT_UNRESOLVED, AttemptOutcome.UNKNOWN, _unresolved(error)
    if record.key is None:
        return Event.GIVEN_UP, AttemptOutcome.UNKNOWN, _unresolved(error)
    return None, AttemptOutcome.UNKNOWN, error


def _unresolved(error: ProviderOutcomeUnknown) -> ProviderOutcomeUnresolved:
    return ProviderOutcomeUnresolved(error.message, metadata=error.metadata)


def _failure(error: ProviderError) -> Failure:
    return Failure(
        reason=error.reason,
        provider_code=error.metadata.get("provider_code", ""),
        metadata=error.metadata,
        violations=error.violations,
    )


def _unsent(record: Record) -> Record:
    attempt = record.attempt
    is_begun = attempt.number == 1 and attempt.outcome is AttemptOutcome.IN_FLIGHT
    is_waiting = is_begun and record.session.state is State.CREATING
    if not is_waiting:
        return record
    return structs.replace(record, attempt=_outcome(record, AttemptOutcome.NOT_SENT))


def _outcome(record: Record, outcome: AttemptOutcome) -> Attempt:
    return structs.replace(record.attempt, outcome=outcome)


def _orphaned(record: Record, answer: ProviderSession) -> Record:
    if answer.provider_session_id == record.session.provider_session_id:
        return record
    warning = SessionWarning(
        "ORPHANED_ATTEMPT",
        message=f"an earlier attempt also made {answer.provider_session_id}; its payments count here",
    )
    session = structs.replace(record.session, warnings=(*record.session.warnings, warning))
    return structs.replace(record, session=session)
