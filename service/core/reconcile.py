"""Asking providers what webhooks may have missed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.attempts import references
from service.core.errors import ProviderError, ProviderNotConfigured
from service.core.events import Cause

if TYPE_CHECKING:
    from service.core.background import Background
    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer, Provider
    from service.core.record import Record

_AT_MOST_EVERY = timedelta(seconds=5)


class Reconciler:
    """Asks a provider about one session: calls are joined, and a session is asked about at most every 5 s."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        background: Background,
        observer: Observer,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._background = background
        self._observer = observer
        self._clock = clock
        self._asking: dict[str, asyncio.Task[Record]] = {}

    async def refresh(self, record: Record) -> Record:
        """Return the record after asking, or as it is where the provider cannot be asked or does not answer."""
        provider = self._askable(record)
        if provider is None:
            return record
        session_id = record.session.session_id
        task = self._asking.get(session_id)
        if task is None:
            task = self._background.start(self._ask(record, provider))
            self._asking[session_id] = task
            task.add_done_callback(lambda _: self._asking.pop(session_id, None))
        return await asyncio.shield(task)

    def notice(self, record: Record) -> None:
        """Ask, and let nobody wait for it."""
        self._background.start(self.refresh(record))

    def _askable(self, record: Record) -> Provider | None:
        session = record.session
        asked = session.reconciled_time
        if not session.provider_session_id:
            return None
        if asked is not None and self._clock.now() < asked + _AT_MOST_EVERY:
            return None
        try:
            provider = self._directory.get(session.provider, session.account)
        except ProviderNotConfigured:
            return None
        return provider if provider.capabilities.retrieve else None

    async def _ask(self, record: Record, provider: Provider) -> Record:
        session_id = record.session.session_id
        try:
            return await self.ask(record, provider)
        except ProviderError as error:
            # A provider that does not know the session (404) proves nothing about money: nothing changes.
            self._observer.noted(
                "session.refresh_failed", session_id=session_id, reason=error.reason
            )
            return record

    async def ask(self, record: Record, provider: Provider) -> Record:
        """Return the record after asking. Raises as `Provider.retrieve`."""
        async with self._ledger.calling(record):
            return await self._answered(record, provider)

    async def _answered(self, record: Record, provider: Provider) -> Record:
        answer = await provider.retrieve(
            record.session.provider_session_id, record.session.provider_details
        )
        now = self._clock.now()

        def decide(current: Record) -> Record:
            session = lifecycle.reconciled(current.session, answer, now)
            return structs.replace(current, session=session)

        return await self._ledger.change(
            record, decide, cause=Cause.READING, references=references(answer)
        )
