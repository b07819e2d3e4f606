"""Asking provider accounts whether they would take a request, without calling or storing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from service.core.errors import ProviderNotConfigured, UnsupportedByProvider
from service.core.model import Session, Violation
from service.core.planning import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.core.directory import Directory
    from service.core.model import CreateRequest
    from service.core.ports import Clock, Provider


class Verdict(Struct, frozen=True, kw_only=True):
    """What one account says to a request: the session it would make, or all that keeps it from that."""

    provider: str
    account: str
    live: bool
    planned: Session | None = None
    violations: tuple[Violation, ...] = ()


class CheckSession:
    """Judges a request by the same plan that a create begins with."""

    def __init__(self, *, directory: Directory, clock: Clock, has_gate: bool) -> None:
        self._directory = directory
        self._clock = clock
        self._has_gate = has_gate

    async def __call__(self, request: CreateRequest) -> Sequence[Verdict]:
        """Return the named account's verdict, or every account's where no provider is named.

        Without a provider an account's name narrows them, and each sees its own provider's options alone.
        Raises InvalidRequest for money that is none at any provider, and ProviderNotConfigured.
        """
        if request.provider:
            account = self._directory.get(request.provider, request.account)
            return [self._judge(request, account)]
        return [self._judge(_addressed(request, one), one) for one in self._named(request.account)]

    def _named(self, account: str) -> Sequence[Provider]:
        found = [one for one in self._directory.all() if account in {"", one.account}]
        if account and not found:
            raise ProviderNotConfigured(
                f"no account {account!r} of any provider is configured; ListProviders names those that are",
                metadata={"provider": "", "account": account},
            )
        return found

    def _judge(self, request: CreateRequest, provider: Provider) -> Verdict:
        verdict = Verdict(provider=provider.name, account=provider.account, live=provider.live)
        now = self._clock.now()
        try:
            planned = plan(request, provider, session_id="", now=now, has_gate=self._has_gate)
        except UnsupportedByProvider as refusal:
            return structs.replace(verdict, violations=refusal.violations)
        return structs.replace(verdict, planned=planned)


def _addressed(request: CreateRequest, provider: Provider) -> CreateRequest:
    lines = tuple(
        structs.replace(line, provider_options=_own(line.provider_options, provider.name))
        for line in request.cart.line_items
    )
    return structs.replace(
        request,
        provider=provider.name,
        account=provider.account,
        cart=structs.replace(request.cart, line_items=lines),
        provider_options=_own(request.provider_options, provider.name),
    )


def _own(options: dict[str, object] | None, name: str) -> dict[str, object] | None:
    if not options:
        return options
    return {name: options[name]} if name in options else None
