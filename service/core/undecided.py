"""Payments and sessions whose end is open, and when to ask about each again: soon at first, then more rarely."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from service.core.model import PaymentState, PaymentStatus, State
from service.core.ports import ProviderEvent, SessionQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from service.core.model import Payment, Session
    from service.core.ports import Provider, Store

_SHORTEST = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
RARELY = timedelta(hours=4)
"""For what most buyers never come back to."""

_PAGE = 500
_READ_UNTIL_AFTER = timedelta(hours=1)
_OLDEST = timedelta(days=7)
_UNPAID = frozenset({PaymentStatus.UNPAID, PaymentStatus.PARTIALLY_PAID})
_PROCESSING = frozenset({PaymentStatus.PROCESSING})


class Question(Struct, frozen=True, kw_only=True):
    """Something to ask of a provider: a payment where there is an event, else the whole session.

    `since` is when it became open, `asked` when it was asked last, `pause` the longest until it is asked again.
    `made` is when a payment was made that was listed.
    """

    name: str
    session_id: str
    since: datetime
    asked: datetime | None = None
    pause: timedelta = _LONGEST
    made: datetime | None = None
    event: ProviderEvent | None = None


def is_due(question: Question, now: datetime) -> bool:
    """Tell whether as much time has passed since the last asking as had passed until then."""
    last = question.asked or question.since
    return now >= last + min(max(last - question.since, _SHORTEST), question.pause)


def about_payment(event: ProviderEvent, since: datetime) -> Question | None:
    """Return the question that a payment without an end asks; none where an event is about no payment."""
    name = next((r for r in event.references if r.startswith("payment:")), None)
    if name is None:
        return None
    return Question(name=name, session_id=event.session_id, since=since, event=event)


async def open_payments(store: Store, provider: Provider, now: datetime) -> AsyncIterator[Question]:
    """Yield a question for every payment of an account that is being decided."""
    query = SessionQuery(
        now=now,
        provider=provider.name,
        account=provider.account,
        payment_statuses=_PROCESSING,
        limit=_PAGE,
    )
    async for session in _all(store, query):
        for payment in session.payments:
            if payment.status is PaymentState.PROCESSING:
                yield Question(
                    name=f"payment:{payment.provider_payment_id}",
                    session_id=session.session_id,
                    since=payment.payment_time,
                    event=_event(session, payment),
                )


async def open_sessions(store: Store, provider: Provider, now: datetime) -> AsyncIterator[Question]:
    """Yield a question for every session of an account that may still be paid, or was without our knowledge."""
    of_account = SessionQuery(
        now=now, provider=provider.name, account=provider.account, limit=_PAGE
    )
    unpaid = structs.replace(
        of_account,
        states=frozenset({State.OPEN, State.EXPIRED}),
        payment_statuses=_UNPAID,
        create_time_from=now - _OLDEST,
    )
    for query in (unpaid, structs.replace(of_account, payment_statuses=_PROCESSING)):
        async for session in _all(store, query):
            if session.provider_session_id and not _is_over(session, now):
                yield Question(
                    name=f"session:{session.session_id}",
                    session_id=session.session_id,
                    since=_since(session.create_time, session),
                    asked=session.reconciled_time,
                )


def _event(session: Session, payment: Payment) -> ProviderEvent:
    return ProviderEvent(
        event_id="",
        event_type="",
        session_id=session.session_id,
        references=(
            f"payment:{payment.provider_payment_id}",
            f"session:{session.provider_session_id}",
        ),
    )


def _is_over(session: Session, now: datetime) -> bool:
    if session.payment_status is PaymentStatus.PROCESSING:
        return False
    end = max(session.payable_until or session.expire_time, session.expire_time)
    return session.link_closed or now > end + _READ_UNTIL_AFTER


def _since(begin: datetime, session: Session) -> datetime:
    times: Iterable[datetime] = (
        payment.payment_time
        for payment in session.payments
        if payment.status is PaymentState.PROCESSING
    )
    return max((begin, *times))


async def _all(store: Store, query: SessionQuery) -> AsyncIterator[Session]:
    while True:
        page = await store.list_sessions(query)
        for session in page:
            yield session
        if len(page) < query.limit:
            return
        query = structs.replace(query, before=page[-1].session_id)
