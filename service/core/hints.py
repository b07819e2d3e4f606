"""Hints: events that tell that there is news of a session, and cannot be trusted to tell which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.errors import ProviderRejected
from service.core.ports import ProviderSession

if TYPE_CHECKING:
    from service.core.model import Session
    from service.core.ports import Provider, ProviderEvent

_PREFIX = "session:"


async def read_again(
    adapter: Provider, event: ProviderEvent, session: Session
) -> ProviderSession | None:
    """Return what the provider says of the session a hint is about; None where it knows of none.

    Raises as `Provider.retrieve` where the provider cannot tell: the hint is then sent again.
    """
    named = (ref.removeprefix(_PREFIX) for ref in event.references if ref.startswith(_PREFIX))
    provider_session_id = next(named, session.provider_session_id)
    if not provider_session_id or not adapter.capabilities.retrieve:
        return None
    is_orphan = session.provider_session_id not in ("", provider_session_id)
    details = None if is_orphan else session.provider_details
    try:
        answer = await adapter.retrieve(provider_session_id, details)
    except ProviderRejected:
        # Sent again, it would be refused again; and that it is unknown there proves nothing about money.
        return None
    if not is_orphan:
        return answer
    # What a superseded attempt has made says nothing of the session but what was paid for it.
    return ProviderSession(provider_session_id=provider_session_id, payments=answer.payments)
