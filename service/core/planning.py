"""From a request to the session it asks for, with everything that is wrong with it found at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service.core import capability, money
from service.core.errors import InvalidRequest, UnsupportedByProvider
from service.core.model import (
    CreateRequest,
    ExpiryEnforcement,
    Session,
    SessionWarning,
    State,
    Violation,
)

if TYPE_CHECKING:
    from service.core.ports import Provider

CLAMP = timedelta(seconds=60)
"""How far a wish may exceed the provider's lifetime and still be met; clients' clocks differ."""

CLAMPED = "EXPIRY_CLAMPED"
"""The warning that a wish was shortened."""

_DEFAULT_GRACE = timedelta(minutes=5)

# Longer than any provider's lifetime, and short enough to be added to a time.
_LONGEST_WISH = timedelta(days=36_500)


def plan(
    request: CreateRequest,
    provider: Provider,
    *,
    session_id: str,
    now: datetime,
    has_gate: bool = False,
) -> Session:
    """Return the session to create; `has_gate` when its address will lead through the gate.

    Raises InvalidRequest or UnsupportedByProvider with all violations.
    """
    wrong = money.violations(request.cart)
    if wrong:
        raise InvalidRequest(_text(wrong), violations=wrong)
    lifetime = provider.lifetime(request)
    unmet = [
        *capability.unsupported(request, provider.capabilities, provider.name),
        *provider.check(request),
        *_expiry_violations(request, provider, lifetime, now),
    ]
    if unmet:
        names = {"provider": provider.name, "account": provider.account}
        raise UnsupportedByProvider(_text(unmet), metadata=names, violations=unmet)
    return _session(
        request, provider, session_id=session_id, now=now, lifetime=lifetime, has_gate=has_gate
    )


def _session(
    request: CreateRequest,
    provider: Provider,
    *,
    session_id: str,
    now: datetime,
    lifetime: timedelta,
    has_gate: bool,
) -> Session:
    limit = _longest(provider, lifetime)
    wish = _wish(request, now) or now + min(limit, provider.capabilities.default_lifetime)
    enforcement = _enforcement(provider, shortened=wish < now + lifetime, has_gate=has_gate)
    return Session(
        session_id=session_id,
        state=State.CREATING,
        provider=provider.name,
        account=provider.account,
        live=provider.live,
        expiry_enforcement=enforcement,
        closable=provider.capabilities.cancel,
        cart=request.cart,
        totals=provider.totals(request) or money.totals(request.cart),
        amount_basis=provider.amount_basis(request),
        customer=request.customer,
        metadata=request.metadata,
        reference_id=request.reference_id,
        create_time=now,
        update_time=now,
        expire_time=min(wish, now + limit),
        payment_grace=_payment_grace(provider, enforcement),
        warnings=_clamped(request, wish, now + limit),
    )


def _longest(provider: Provider, lifetime: timedelta) -> timedelta:
    """Return how long a session may last: a page can outlive every session there may be."""
    return min(lifetime, provider.capabilities.max_lifetime)


def _wish(request: CreateRequest, now: datetime) -> datetime | None:
    if request.ttl is None:
        return request.expire_time
    return now + min(request.ttl, _LONGEST_WISH)


def _enforcement(provider: Provider, *, shortened: bool, has_gate: bool) -> ExpiryEnforcement:
    capabilities = provider.capabilities
    is_kept = capabilities.cancel or not shortened
    if capabilities.expiry_enforcement is ExpiryEnforcement.PROVIDER and is_kept:
        return ExpiryEnforcement.PROVIDER
    return ExpiryEnforcement.GATE if has_gate else ExpiryEnforcement.ADVISORY


def _payment_grace(provider: Provider, enforcement: ExpiryEnforcement) -> timedelta:
    if provider.payment_grace is not None:
        return provider.payment_grace
    return timedelta(0) if enforcement is ExpiryEnforcement.PROVIDER else _DEFAULT_GRACE


def _clamped(request: CreateRequest, wish: datetime, limit: datetime) -> tuple[SessionWarning, ...]:
    if wish <= limit:
        return ()
    message = f"shortened to the provider's lifetime, by {wish - limit}"
    return (SessionWarning(CLAMPED, field=_expiry_field(request), message=message),)


def _expiry_violations(
    request: CreateRequest, provider: Provider, lifetime: timedelta, now: datetime
) -> list[Violation]:
    wish = _wish(request, now)
    if wish is None:
        return []
    least = provider.capabilities.min_lifetime
    if wish < now + least:
        return [Violation(_expiry_field(request), f"must be at least {_seconds(least)} from now")]
    longest = _longest(provider, lifetime)
    if wish > now + longest + CLAMP:
        limit = f"{provider.name} ends sessions after {_seconds(longest)}"
        return [Violation(_expiry_field(request), limit)]
    return []


def _expiry_field(request: CreateRequest) -> str:
    return "ttl" if request.ttl is not None else "expire_time"


def _seconds(span: timedelta) -> str:
    return f"{int(span.total_seconds())} s"


def _text(violations: list[Violation]) -> str:
    return "; ".join(f"{v.field}: {v.description}" for v in violations)
