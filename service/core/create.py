"""Creating a session: the intent is stored first, the provider is called next, the answer is stored last."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from service.core import lifecycle, payments
from service.core.calls import Gathering
from service.core.errors import (
    CheckoutError,
    DeadlineSpent,
    ProviderError,
    RequestIdReused,
    RequestIdTaken,
)
from service.core.events import Cause
from service.core.idempotency import fingerprint
from service.core.model import Session, State, UnknownOutcomeStrategy
from service.core.planning import CLAMPED, plan
from service.core.ports import CreateCall
from service.core.record import Attempt, Prepared, Record, RequestKey
from service.core.replay import Verdict, judge, refusal, waiting
from service.core.search import adopted, is_searched, learnt

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from service.core.attempts import Attempts
    from service.core.background import Background
    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.model import CreateRequest, SessionWarning
    from service.core.ports import Clock, Ids, Provider, Step, Store
    from service.core.recovery import Recovery
    from service.core.search import Search

LEASE = timedelta(seconds=60)
"""How long a running attempt holds its session; longer than any account's time-out of a sent request."""

_ANSWER_MARGIN = timedelta(milliseconds=100)
_LONGEST_WAIT = timedelta(seconds=30)
_POLL = timedelta(milliseconds=50)


class CreateResult(Struct, frozen=True):
    """The session as it reads at `now`; `replayed` when an earlier call made it."""

    session: Session
    now: datetime
    replayed: bool = False


class CreateSession:
    """Creates a session at most once for a request id."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        directory: Directory,
        attempts: Attempts,
        recovery: Recovery,
        search: Search,
        background: Background,
        clock: Clock,
        ids: Ids,
        secret: bytes,
        has_gate: bool,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._directory = directory
        self._attempts = attempts
        self._recovery = recovery
        self._search = search
        self._background = background
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._has_gate = has_gate

    async def __call__(
        self, request: CreateRequest, *, caller: str, deadline: timedelta | None
    ) -> CreateResult:
        """Create, or answer what an earlier call with this request id came to.

        `deadline` is the caller's remaining time. Raises what the contract's error table lists.
        """
        now = self._clock.now()
        if request.validate_only:
            provider = self._directory.get(request.provider, request.account)
            return CreateResult(self._plan(request, provider, "", now), now)
        self._background.admit()
        until = None if deadline is None else now + deadline - _ANSWER_MARGIN
        key = RequestKey(caller, request.request_id) if request.request_id else None
        content = fingerprint(self._secret, request) if key else b""
        held = await self._store.find_by_request(key) if key else None
        if held is None:
            provider = self._directory.get(request.provider, request.account)
            session = self._plan(request, provider, self._ids.session_id(now), now)
            attempt = _attempt(1, provider, request, now)
            record = Record(
                session=session,
                attempt=attempt,
                key=key,
                fingerprint=content,
                prepared=_prepared(provider, attempt, _call(session, attempt, request)),
            )
            try:
                return await self._run(
                    record, self._attempts.begin(record), request, provider, until
                )
            except RequestIdTaken:
                held = await self._held(key)
        return await self._repeat(held, request, content, until)

    def _plan(
        self, request: CreateRequest, provider: Provider, session_id: str, now: datetime
    ) -> Session:
        return plan(request, provider, session_id=session_id, now=now, has_gate=self._has_gate)

    async def _held(self, key: RequestKey | None) -> Record:
        held = await self._store.find_by_request(key) if key else None
        if held is None:
            raise AssertionError("a taken request id has no record")
        return held

    async def _repeat(
        self, held: Record, request: CreateRequest, content: bytes, until: datetime | None
    ) -> CreateResult:
        session_id = held.session.session_id
        if held.fingerprint != content:
            raise RequestIdReused(
                "the request_id was used for other content; a new session needs a new one",
                session_id=session_id,
            )
        limit = self._clock.now() + _LONGEST_WAIT
        limit = limit if until is None else min(limit, until)
        while (verdict := judge(held, self._clock.now())) is Verdict.WAIT:
            if self._clock.now() + _POLL >= limit:
                raise waiting(session_id)
            await self._clock.sleep(_POLL)
            held = await self._ledger.load(session_id)
        if verdict is Verdict.RECOVER:
            held = await self._background.start(self._recovery.recover(held))
            return await self._repeat(held, request, content, until)
        if verdict is Verdict.REFUSE:
            raise refusal(held)
        if verdict is Verdict.AGAIN:
            return await self._again(held, request, until)
        now = self._clock.now()
        return CreateResult(lifecycle.effective(held.session, now), now, replayed=True)

    async def _again(
        self, held: Record, request: CreateRequest, until: datetime | None
    ) -> CreateResult:
        provider = self._directory.get(held.session.provider, held.session.account)
        renewed = self._renewed(held, request, provider)
        return await self._run(held, renewed, request, provider, until)

    async def _renewed(self, held: Record, request: CreateRequest, provider: Provider) -> Record:
        found = await self._found(held, request, provider) if is_searched(held) else ()
        now = self._clock.now()
        planned = self._plan(request, provider, held.session.session_id, now)
        attempt = _attempt(held.attempt.number + 1, provider, request, now)

        def renew(record: Record) -> Record:
            if record.attempt != held.attempt or judge(record, now) is not Verdict.AGAIN:
                raise waiting(record.session.session_id)
            known = adopted(record, found, now + provider.lifetime(request), now)
            is_to_go_on = known.session.state is State.CREATING
            return _renewal(known, planned, attempt) if is_to_go_on else known

        record = await self._ledger.change(
            held, renew, cause=Cause.CREATE_REPEATED, references=learnt(found)
        )
        if record.session.state is State.UNRESOLVED:
            raise refusal(record)
        return record

    async def _found(
        self, held: Record, request: CreateRequest, provider: Provider
    ) -> Sequence[Step]:
        try:
            return await self._search(held, provider, _call(held.session, held.attempt, request))
        except ProviderError as error:
            await self._ledger.note(held)
            error.metadata["session_id"] = held.session.session_id
            raise

    async def _run(
        self,
        record: Record,
        stored: Coroutine[object, object, Record],
        request: CreateRequest,
        provider: Provider,
        until: datetime | None,
    ) -> CreateResult:
        session_id = record.session.session_id
        # A caller may leave at any moment: an intent that is stored must not stay without its attempt.
        task = self._background.start(self._attempt(stored, request, provider, until))
        patience = self._left(until)
        await asyncio.wait((task,), timeout=None if patience is None else patience.total_seconds())
        if not task.done():
            raise DeadlineSpent(
                "the deadline passed while the provider worked; the call goes on",
                metadata={"leg": "provider"},
                session_id=session_id,
            )
        now = self._clock.now()
        return CreateResult(lifecycle.effective(task.result(), now), now)

    async def _attempt(
        self,
        stored: Coroutine[object, object, Record],
        request: CreateRequest,
        provider: Provider,
        until: datetime | None,
    ) -> Session:
        with Gathering():
            record = await stored
            if record.session.state is not State.CREATING:
                return record.session
            call = structs.replace(
                _call(record.session, record.attempt, request),
                connect_within=self._left(until),
                body=record.prepared.body if record.prepared else b"",
            )
            return await self._made(record, provider, call)

    async def _made(self, record: Record, provider: Provider, call: CreateCall) -> Session:
        try:
            return await self._attempts.run(record, provider, call)
        except CheckoutError as error:
            error.metadata["session_id"] = call.session_id
            raise

    def _left(self, until: datetime | None) -> timedelta | None:
        return None if until is None else max(until - self._clock.now(), timedelta(0))


def _call(session: Session, attempt: Attempt, request: CreateRequest) -> CreateCall:
    return CreateCall(
        session_id=session.session_id,
        attempt=attempt.number,
        request=request,
        expire_time=session.expire_time,
        kept=attempt.kept,
    )


def _renewal(known: Record, planned: Session, attempt: Attempt) -> Record:
    if known.attempt.kept:
        went = known.attempt
        attempt = structs.replace(attempt, kept=went.kept, strategy=went.strategy)
    session = structs.replace(
        known.session,
        expire_time=planned.expire_time,
        expiry_enforcement=planned.expiry_enforcement,
        payment_grace=planned.payment_grace,
        warnings=_warnings(known.session, planned),
        failure=None,
    )
    return structs.replace(known, session=session, attempt=attempt)


def _warnings(known: Session, planned: Session) -> tuple[SessionWarning, ...]:
    """Return the plan's own warnings anew, and what was learnt at the provider as it is."""
    return payments.added(
        planned.warnings, (warning for warning in known.warnings if warning.code != CLAMPED)
    )


def _prepared(provider: Provider, attempt: Attempt, call: CreateCall) -> Prepared | None:
    body = provider.prepare(call)
    is_kept = body or attempt.strategy is UnknownOutcomeStrategy.SEARCH
    return Prepared(call.request, body) if is_kept else None


def _attempt(number: int, provider: Provider, request: CreateRequest, now: datetime) -> Attempt:
    return Attempt(number=number, strategy=provider.strategy(request), lease_until=now + LEASE)
