"""Writes what happens to sessions down as facts: changes with their causes, calls, and webhooks."""

from __future__ import annotations

import time
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import structs

from service.core.calls import gathered
from service.core.events import Called, Cause, Changed, Received, Taking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.events import Fact
    from service.core.inbox import InboxEvent
    from service.core.model import Session
    from service.core.ports import Clock
    from service.core.record import Record

UPDATED = "session.updated"
"""What a change is called that callers can see and that no other word fits."""

NOTHING_NEW = "NOTHING_NEW"
"""Why an event had no effect: the session knew already."""

ALREADY_RECEIVED = "ALREADY_RECEIVED"
"""Why an event had no effect: it was delivered before."""

_OTHER_MODE = "LIVE_MISMATCH"
_DIGEST_BYTES = 8
_USE = b"timeline"


class Chronicle:
    """Makes facts; `secret` is the store's, and keeps digests from being guessed."""

    def __init__(self, *, clock: Clock, secret: bytes) -> None:
        self._clock = clock
        # A copy is cheaper than another one with a key.
        self._hash = blake2b(key=secret, digest_size=_DIGEST_BYTES, person=_USE)

    def begun(self, record: Record, types: Sequence[str]) -> tuple[Fact, ...]:
        """Return the facts of a new session."""
        return (_changed(record, Cause.CREATE_REQUESTED, types, record.session.create_time),)

    def changed(
        self,
        before: Record,
        after: Record,
        types: Sequence[str],
        *,
        cause: Cause,
        event: InboxEvent | None,
        waiting: Sequence[InboxEvent],
    ) -> list[Fact]:
        """Return the facts of a change: what was done and heard of it, and last the change itself."""
        now = self._clock.now()
        shown = types or _updated(before.session, after.session)
        facts: list[Fact] = self._calls(now)
        facts += [_received(one, Taking.MATCHED) for one in waiting]
        if event is not None:
            facts.append(_taken(event, before.session, after.session, shown))
        facts.append(_changed(after, cause, shown, now))
        return facts

    def unchanged(self, event: InboxEvent | None) -> list[Fact]:
        """Return the facts of something that changed nothing."""
        facts = self._calls(self._clock.now())
        if event is not None:
            facts.append(_received(event, Taking.WITHOUT_EFFECT, NOTHING_NEW))
        return facts

    def repeated(self, event: InboxEvent) -> list[Fact]:
        """Return the facts of an event that was delivered before."""
        facts = self._calls(self._clock.now())
        facts.append(_received(event, Taking.DUPLICATE, ALREADY_RECEIVED))
        return facts

    def _calls(self, now: datetime) -> list[Fact]:
        return [
            Called(
                now - timedelta(0, time.monotonic() - call.began),
                call.operation,
                call.outcome,
                timedelta(0, call.latency),
                call.attempt,
                call.status,
                call.provider_request_id,
                self._digest(call.sent),
                self._digest(call.received),
            )
            for call in gathered()
        ]

    def _digest(self, body: bytes) -> str:
        if not body:
            return ""
        digest = self._hash.copy()
        digest.update(body)
        return digest.hexdigest()


def _changed(record: Record, cause: Cause, types: Sequence[str], now: datetime) -> Changed:
    session, number = record.session, record.attempt.number
    return Changed(now, cause, session.state, session.payment_status, number, tuple(types))


def _updated(before: Session, after: Session) -> Sequence[str]:
    """Name a change that has no name of its own, unless callers cannot see it."""
    if before is after:
        return ()
    same = structs.replace(
        after,
        version=before.version,
        update_time=before.update_time,
        reconciled_time=before.reconciled_time,
        closing_time=before.closing_time,
    )
    return () if same == before else (UPDATED,)


def _taken(event: InboxEvent, before: Session, after: Session, shown: Sequence[str]) -> Received:
    if not shown:
        return _received(event, Taking.WITHOUT_EFFECT, NOTHING_NEW)
    new = {warning.code for warning in after.warnings if warning not in before.warnings}
    if tuple(shown) == (UPDATED,) and _OTHER_MODE in new:
        return _received(event, Taking.REFUSED, _OTHER_MODE)
    return _received(event, Taking.APPLIED)


def _received(event: InboxEvent, taking: Taking, reason: str = "") -> Received:
    return Received(event.received, taking, event.event_id, event.event_type, reason)
