"""Ending pages at providers that can: first here, then there, again and again until it is verified."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from service.core import lifecycle
from service.core.errors import ProviderError, ProviderNotConfigured
from service.core.events import Cause
from service.core.ports import Closing

if TYPE_CHECKING:
    from service.core.directory import Directory
    from service.core.ledger import Ledger
    from service.core.ports import Clock, Observer
    from service.core.record import Record

AGAIN_AFTER = timedelta(seconds=60)
"""Longer than any provider call: until then nobody else tries."""


class Closer:
    """Closes the provider's page of a session that has ended."""

    def __init__(
        self, *, ledger: Ledger, directory: Directory, observer: Observer, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._observer = observer
        self._clock = clock

    async def close(self, record: Record) -> Record:
        """Ask the provider once and store what came of it; the next try is due by then unless it closed."""
        claimed = await self._ledger.change(record, self._claim, cause=Cause.PAGE_CLOSING)
        if claimed is record or claimed.session.closing_time is None:
            return claimed
        async with self._ledger.calling(claimed):
            return await self._closed(claimed)

    async def _closed(self, claimed: Record) -> Record:
        closing = await self._ask(claimed)
        now = self._clock.now()

        def decide(current: Record) -> Record:
            session = lifecycle.closed(current.session, closing, now)
            return structs.replace(current, session=session)

        learnt = [f"payment:{report.payment_id}" for report in closing.payments]
        return await self._ledger.change(
            claimed, decide, cause=Cause.PAGE_CLOSING, references=learnt
        )

    def _claim(self, record: Record) -> Record:
        session, now = record.session, self._clock.now()
        if session.closing_time is None or now < session.closing_time:
            return record
        is_over = session.payable_until is not None and now >= session.payable_until
        is_open = session.state in lifecycle.ENDED_UNPAID and not is_over
        claimed = structs.replace(session, closing_time=now + AGAIN_AFTER if is_open else None)
        return structs.replace(record, session=claimed)

    async def _ask(self, record: Record) -> Closing:
        session = record.session
        try:
            provider = self._directory.get(session.provider, session.account)
            return await provider.cancel(session.provider_session_id, session.provider_details)
        except (ProviderError, ProviderNotConfigured) as error:
            self._observer.noted(
                "session.close_failed", session_id=session.session_id, reason=error.reason
            )
            return Closing(closed=False)
