"""What the provider's page of a session does at a moment, and who is to be sent there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.model import ProviderLink, State

if TYPE_CHECKING:
    from datetime import datetime

    from service.core.model import Session


def provider_link(session: Session, now: datetime) -> ProviderLink | None:
    """Return what the provider's page does at `now`; None where no page was ever known."""
    if session.state in (State.CREATING, State.UNRESOLVED) and not session.provider_url:
        return ProviderLink.UNKNOWN
    if not session.provider_session_id:
        return None
    # Without an address there is no page, unless the create broke off before its last call.
    is_left = session.preexisting or session.closing_time is not None
    has_page = session.provider_url or is_left
    if session.state is State.COMPLETED or session.link_closed or not has_page:
        return ProviderLink.CLOSED
    if session.payable_until is not None and now >= session.payable_until:
        return ProviderLink.CLOSED
    return ProviderLink.LIVE if session.state is State.OPEN else ProviderLink.STILL_PAYABLE


def checkout_url(session: Session) -> str:
    """Return where to send the customer; empty unless the session is open."""
    return session.provider_url if session.state is State.OPEN else ""
