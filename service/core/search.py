"""Looking at the provider for what a create has made whose answer was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from service.core.attempts import advanced, ended, references
from service.core.errors import ProviderOutcomeUnknown, ProviderRejected
from service.core.lifecycle import Event
from service.core.model import UnknownOutcomeStrategy
from service.core.ports import SearchingProvider
from service.core.record import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.ports import CreateCall, Provider, Step, Store
    from service.core.record import Record

CLOCK_SKEW = timedelta(seconds=60)
"""How far the provider's clock may be behind ours."""


class Search:
    """Finds what earlier attempts of a session may have made."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def __call__(self, record: Record, provider: Provider, call: CreateCall) -> list[Step]:
        """Return all that the provider holds and no other session is known to have made.

        Raises as `Provider.create`, and never ProviderRejected: it would be taken for an end of the create.
        """
        if not isinstance(provider, SearchingProvider):
            raise AssertionError(f"{provider.name} declares SEARCH and cannot be searched")  # noqa: TRY004
        try:
            found = await provider.search(call, record.session.create_time - CLOCK_SKEW)
        except ProviderRejected as error:
            raise ProviderOutcomeUnknown(
                "the provider refused to look for what was made", metadata=error.metadata
            ) from error
        return [step for step in found if await self._may_be_of(record, step)]

    async def _may_be_of(self, record: Record, step: Step) -> bool:
        session = record.session
        holder = await self._store.find_by_reference(
            session.provider, session.account, references(step)
        )
        return holder is None or holder.session.session_id == session.session_id


def is_searched(record: Record) -> bool:
    """Tell whether the provider is to be searched before anything is created again."""
    attempt = record.attempt
    is_lost = attempt.outcome is AttemptOutcome.UNKNOWN
    return is_lost and attempt.strategy is UnknownOutcomeStrategy.SEARCH


def adopted(
    record: Record, found: Sequence[Step], payable_until: datetime, now: datetime
) -> Record:
    """Return the record after a search: one find is what it goes on from, of several none can be told to be it."""
    if len(found) > 1:
        return ended(record, Event.LEFT_UNRESOLVED, now)
    return advanced(record, found[0], payable_until, now) if found else record


def learnt(found: Sequence[Step]) -> list[str]:
    """Return what leads from the provider's events to the session: whichever is paid, its money belongs there."""
    return [reference for step in found for reference in references(step)]
