"""Turns configured accounts into what the adapters are built from, and has them checked."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from msgspec import structs

from service.config import AccountSettings, Problem, Settings, service_problems
from service.providers import settings as providers
from service.providers.budget import Limits, Rate
from service.providers.registry import PROVIDERS
from service.providers.secrets import Secret

if TYPE_CHECKING:
    from service.sandbox.app import SandboxSettings


def configured_accounts(settings: Settings, worker: int = 1) -> list[providers.AccountSettings]:
    """Return every configured account as its adapter takes it, with a worker's share of its limits."""
    return [
        _share(_adapted(provider, name, account), worker, settings.workers)
        for provider, accounts in settings.providers.items()
        for name, account in accounts.items()
    ]


def sandbox_accounts(sandbox: "SandboxSettings", base_url: str) -> list[providers.AccountSettings]:
    """Return the default account of each provider that the sandbox at a URL emulates."""
    return [
        providers.AccountSettings(
            provider=provider,
            live=False,
            api_key=Secret(value=sandbox.api_token),
            webhook_secrets=(Secret(value=sandbox.webhook_secret),),
            base_url=f"{base_url}/{provider}",
            page_origins=(sandbox.public_url,),
            own=sandbox.own_settings(provider),
        )
        for provider in sandbox.webhook_urls
    ]


def own_settings() -> dict[str, Mapping[str, str]]:
    """Return the settings that only one provider has, each with its meaning, by provider."""
    return {provider: entry.own_settings for provider, entry in PROVIDERS.items()}


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what keeps the service from starting, what only a provider's adapter knows included."""
    found = list(service_problems(settings, PROVIDERS))
    yield from found
    wrong = {problem.paths[0][:3] for problem in found}
    for provider, accounts in settings.providers.items():
        for name, account in accounts.items():
            path = ("providers", provider, name)
            if provider in PROVIDERS and path not in wrong:
                yield from _account_problems(path, account)
                yield from _undivided(path, account, settings.workers)


def _account_problems(path: tuple[str, str, str], account: AccountSettings) -> Iterator[Problem]:
    _, provider, name = path
    entry = PROVIDERS[provider]
    for foreign in sorted(account.own.keys() - entry.own_settings.keys()):
        yield Problem(_unknown(foreign, provider, entry.own_settings), (*path, foreign))
    for text in entry.problems(_adapted(provider, name, account)):
        yield Problem(text, path)


def _undivided(
    path: tuple[str, str, str], account: AccountSettings, workers: int
) -> Iterator[Problem]:
    adapted = _adapted(*path[1:], account)
    most = min(adapted.connections, adapted.rate.burst if adapted.rate else adapted.connections)
    if most < workers:
        yield Problem(
            f"{workers} workers cannot share {most} calls at once; lower workers to {most}",
            path,
            ("workers",),
        )


def _share(
    account: providers.AccountSettings, worker: int, workers: int
) -> providers.AccountSettings:
    if workers == 1:
        return account
    rate = account.rate and Rate(
        per_second=account.rate.per_second / workers,
        burst=_part(account.rate.burst, worker, workers),
    )
    connections = _part(account.connections, worker, workers)
    return structs.replace(account, connections=connections, rate=rate)


def _part(whole: int, worker: int, workers: int) -> int:
    # The first ones have what cannot be divided.
    return (whole + workers - worker) // workers


def _unknown(key: str, provider: str, own: Iterable[str]) -> str:
    close = get_close_matches(key, [*AccountSettings.model_fields, *own], n=1)
    hint = f"did you mean {close[0]}?" if close else "remove it, or see `checkout config`"
    return f"{provider} has no such setting; {hint}"


def _rate(account: AccountSettings) -> Rate | None:
    wish = account.requests_per_second
    return None if wish is None else Rate(per_second=wish, burst=wish)


def _adapted(provider: str, name: str, account: AccountSettings) -> providers.AccountSettings:
    # Another host than the provider's has limits of its own, which nobody published.
    limits = Limits() if account.base_url else PROVIDERS[provider].limits
    return providers.AccountSettings(
        provider=provider,
        account=name,
        live=account.live,
        api_key=Secret(
            value=account.api_key.get_secret_value() if account.api_key else "",
            file=account.api_key_file,
        ),
        webhook_secrets=(
            *(Secret(value=secret.get_secret_value()) for secret in account.webhook_secrets),
            *(Secret(file=file) for file in account.webhook_secret_files),
        ),
        base_url=account.base_url,
        page_origins=account.page_origins,
        connect_timeout=account.connect_timeout,
        request_timeout=account.timeout,
        connections=account.max_connections or limits.connections,
        rate=_rate(account) or limits.rate,
        payment_grace=account.payment_grace,
        own=account.own,
    )
