"""What settings must be together: the rules that no single value can break alone."""

from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from service.config.names import SettingPath, label, variable
from service.config.settings import AccountSettings, Settings
from service.config.values import ListenAddress
from service.storage.location import names_server


class Problem:
    """One thing wrong with the settings, the keys it is about, and how to mend it."""

    def __init__(self, text: str, *paths: SettingPath) -> None:
        self.text = text
        self.paths = paths

    def __str__(self) -> str:
        return f"{label(self.paths[0])}: {self.text}"

    def follows_from(self, invalid: SettingPath) -> bool:
        """Tell whether it is only there because a value was refused and left out."""
        return any(invalid == path[: len(invalid)] or path == invalid[:1] for path in self.paths)


def service_problems(settings: Settings, providers: Collection[str]) -> Iterator[Problem]:
    """Yield what keeps the service from starting; `providers` are the names it knows."""
    yield from _listening(settings)
    yield from _sandbox_beside_accounts(settings)
    yield from _several_workers(settings)
    for provider, accounts in settings.providers.items():
        for name, account in accounts.items():
            yield from _account(("providers", provider, name), account)
        if provider not in providers:
            known = ", ".join(sorted(providers))
            yield Problem(f"unknown provider; known are: {known}", ("providers", provider))


def sandbox_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what keeps the sandbox from starting alone."""
    yield from _private(settings, ("sandbox", "address"), settings.sandbox.address)


def _listening(settings: Settings) -> Iterator[Problem]:
    grpc, web = settings.grpc.address, settings.web.address
    if grpc == web and grpc.port:
        yield Problem(
            "gRPC listens on the same address; choose another port",
            ("web", "address"),
            ("grpc", "address"),
        )
    if settings.sandbox.enabled:
        yield from _private(settings, ("grpc", "address"), grpc)
        yield from _private(settings, ("web", "address"), web)


def _private(settings: Settings, path: SettingPath, address: ListenAddress) -> Iterator[Problem]:
    if address.is_loopback or settings.sandbox.allow_public_address:
        return
    permission = variable(("sandbox", "allow_public_address"))
    yield Problem(
        f"with the sandbox, {address} lets every machine that reaches it end sessions as paid; "
        f"use 127.0.0.1, or set sandbox.allow_public_address ({permission}) to true",
        path,
        ("sandbox", "allow_public_address"),
    )


def _sandbox_beside_accounts(settings: Settings) -> Iterator[Problem]:
    accounts = [
        ("providers", provider, name)
        for provider, accounts in settings.providers.items()
        for name in accounts
    ]
    if settings.sandbox.enabled:
        for path in accounts:
            yield Problem(
                "this account stands beside the sandbox, which brings its own; "
                f"remove it, or turn off sandbox.enabled ({variable(('sandbox', 'enabled'))})",
                path,
            )
    elif not accounts:
        yield Problem(
            "no account is configured, so no session can be created; set "
            f"{variable(('providers', 'dodo', 'default', 'api_key_file'))}, or start the sandbox "
            "with `checkout serve --sandbox`",
            ("providers",),
        )


def _several_workers(settings: Settings) -> Iterator[Problem]:
    if settings.workers == 1:
        return
    if not names_server(settings.store.url):
        yield Problem(
            f"{settings.workers} processes cannot share a SQLite file, which one process writes; keep one worker, "
            f"or set store.url ({variable(('store', 'url'))}) to a PostgreSQL database",
            ("workers",),
            ("store", "url"),
        )
    if settings.sandbox.enabled:
        yield Problem(
            "the sandbox inside the service keeps its sessions in one process; keep one worker, "
            "or run `checkout sandbox` beside the service",
            ("workers",),
            ("sandbox", "enabled"),
        )


def _account(path: SettingPath, account: AccountSettings) -> Iterator[Problem]:
    yield from _api_key(path, account)
    yield from _base_url(path, account)
    count = len(account.webhook_secrets) + len(account.webhook_secret_files)
    if count > 2:
        yield Problem(
            f"{count} secrets with those in files; keep at most two",
            (*path, "webhook_secrets"),
            (*path, "webhook_secret_files"),
        )
    for file in account.webhook_secret_files:
        yield from _secret_file((*path, "webhook_secret_files"), file)


def _api_key(path: SettingPath, account: AccountSettings) -> Iterator[Problem]:
    key, file = (*path, "api_key"), (*path, "api_key_file")
    if account.api_key_file is None:
        if account.api_key is None:
            yield Problem(f"missing; set it, or api_key ({variable(key)})", file, key)
    elif account.api_key is not None:
        yield Problem(f"api_key_file ({variable(file)}) is set too; keep one", key, file)
    else:
        yield from _secret_file(file, account.api_key_file)


def _secret_file(path: SettingPath, file: Path) -> Iterator[Problem]:
    try:
        if not file.read_bytes().strip():
            yield Problem(f"{file} is empty; write the secret into it", path)
    except OSError as error:
        yield Problem(f"cannot read {file} ({error.strerror}); mend the path or its rights", path)


def _base_url(path: SettingPath, account: AccountSettings) -> Iterator[Problem]:
    if account.live and account.base_url and urlsplit(account.base_url).scheme != "https":
        yield Problem(
            "a live account would send its key unencrypted; use an https URL",
            (*path, "base_url"),
            (*path, "live"),
        )
