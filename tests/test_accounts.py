"""From settings to what the adapters are built from."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.accounts import (
    configured_accounts,
    own_settings,
    problems,
    sandbox_accounts,
)
from service.config import read
from service.providers.budget import Rate
from service.providers.registry import PROVIDERS
from service.sandbox.app import SandboxSettings

PREFIX = "CHECKOUT_PROVIDERS__DODO__SHOP__"
SECRET = "whsec_" + "A" * 32


def test_every_setting_reaches_the_adapter(tmp_path: Path) -> None:
    """Nothing an operator sets for an account is lost on the way."""
    key, secret = tmp_path / "key", tmp_path / "secret"
    key.write_text("the key\n")
    secret.write_text(f"{SECRET}\n")
    settings = read(
        environ={
            f"{PREFIX}API_KEY_FILE": str(key),
            f"{PREFIX}WEBHOOK_SECRETS": SECRET,
            f"{PREFIX}WEBHOOK_SECRET_FILES": str(secret),
            f"{PREFIX}LIVE": "true",
            f"{PREFIX}BASE_URL": "https://proxy.example.com/",
            f"{PREFIX}PAGE_ORIGINS": "https://a.example.com,https://b.example.com",
            f"{PREFIX}TIMEOUT": "7s",
            f"{PREFIX}CONNECT_TIMEOUT": "2s",
            f"{PREFIX}MAX_CONNECTIONS": "9",
            f"{PREFIX}REQUESTS_PER_SECOND": "25",
            f"{PREFIX}PAYMENT_GRACE": "1m",
        }
    ).valid(problems)
    (account,) = configured_accounts(settings)
    assert (account.provider, account.account, account.live) == ("dodo", "shop", True)
    assert account.api_key.current() == "the key"
    assert [found.current() for found in account.webhook_secrets] == [SECRET, SECRET]
    assert account.base_url == "https://proxy.example.com"
    assert account.page_origins == ("https://a.example.com", "https://b.example.com")
    assert account.request_timeout == timedelta(seconds=7)
    assert account.connect_timeout == timedelta(seconds=2)
    assert account.connections == 9
    assert account.rate == Rate(per_second=25, burst=25)
    assert account.payment_grace == timedelta(minutes=1)


def limits_of(provider: str, **settings: str) -> tuple[int, Rate | None]:
    """Return how much an account may ask of its provider."""
    prefix = f"CHECKOUT_PROVIDERS__{provider.upper()}__DEFAULT__"
    environ = {prefix + name.upper(): value for name, value in settings.items()}
    (account,) = configured_accounts(read(environ=environ).settings)
    return account.connections, account.rate


def test_published_limits_hold_for_the_provider_itself() -> None:
    """What a provider publishes is kept to unless the operator says otherwise, or sends elsewhere."""
    key = {"api_key": "key"}
    assert limits_of("clover", **key) == (5, Rate(per_second=12, burst=4))
    assert limits_of("dodo", **key) == (100, Rate(per_second=3.4, burst=36))
    assert limits_of("clover", **key, requests_per_second="7") == (5, Rate(per_second=7, burst=7))
    assert limits_of("clover", **key, max_connections="3")[0] == 3
    assert limits_of("clover", **key, base_url="https://proxy.example.com") == (100, None)
    for provider in ("fastspring", "sellapp", "square"):
        assert limits_of(provider, **key) == (100, None)


@pytest.mark.parametrize(
    ("provider", "window", "published"), [("clover", 1, 16), ("dodo", 1, 40), ("dodo", 60, 240)]
)
def test_published_windows_are_never_exceeded(provider: str, window: float, published: int) -> None:
    """A full burst and what comes back meanwhile stay within each number that a provider publishes."""
    rate = PROVIDERS[provider].limits.rate
    assert rate
    assert rate.burst + rate.per_second * window <= published


@pytest.mark.parametrize("provider", ["clover", "dodo"])
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_workers_share_what_an_account_may(provider: str, workers: int) -> None:
    """All workers together have an account's connections and rate, and none has nothing."""
    environ = {f"CHECKOUT_PROVIDERS__{provider.upper()}__DEFAULT__API_KEY": "key"}
    settings = read(environ=environ | {"CHECKOUT_WORKERS": str(workers)}).settings
    shares = [configured_accounts(settings, worker)[0] for worker in range(1, workers + 1)]
    limits = PROVIDERS[provider].limits
    rates = [share.rate for share in shares if share.rate]
    assert limits.rate
    assert sum(share.connections for share in shares) == limits.connections
    assert sum(rate.burst for rate in rates) == limits.rate.burst
    assert sum(rate.per_second for rate in rates) == pytest.approx(limits.rate.per_second)
    assert min(*(share.connections for share in shares), *(rate.burst for rate in rates)) > 0


def test_more_workers_than_calls_at_once_are_refused() -> None:
    """A worker that might never call the provider would be of no use."""
    settings = {
        "CHECKOUT_STORE_URL": "postgresql://host/name",
        "CHECKOUT_WORKERS": "5",
        f"{PREFIX}API_KEY": "key",
        f"{PREFIX}MAX_CONNECTIONS": "4",
    }
    (problem,) = read(environ=settings).problems(problems)
    assert problem.startswith("providers.dodo.shop: 5 workers cannot share 4 calls at once")
    assert read(environ=settings | {"CHECKOUT_WORKERS": "4"}).problems(problems) == ()


def test_adapter_checks_its_own_account() -> None:
    """What only a provider knows of its secrets is told with the rest."""
    reading = read(environ={f"{PREFIX}API_KEY": "key", f"{PREFIX}WEBHOOK_SECRETS": "canary secret"})
    (problem,) = reading.problems(problems)
    assert problem.startswith("providers.dodo.shop: webhook secret 1")
    assert "canary" not in problem


def test_sandbox_stands_for_one_account_of_each_provider() -> None:
    """Its accounts use its token and secret and are never live."""
    sandbox = SandboxSettings(
        public_url="https://demo.example.com/sandbox",
        api_token="token",
        webhook_secret=SECRET,
        webhook_urls={"dodo": "http://127.0.0.1:1/webhooks/dodo/default"},
    )
    (account,) = sandbox_accounts(sandbox, "http://127.0.0.1:1/sandbox")
    assert (account.provider, account.account, account.live) == ("dodo", "default", False)
    assert account.base_url == "http://127.0.0.1:1/sandbox/dodo"
    assert account.page_origins == ("https://demo.example.com/sandbox",)
    assert account.api_key.current() == "token"


def test_unknown_setting_of_an_account_is_refused_with_a_hint() -> None:
    """A misspelt name is told by both its names, with the one that was meant and without its value."""
    reading = read(environ={f"{PREFIX}API_KEY": "key", f"{PREFIX}PAYMENT_GRAVE": "canary"})
    (problem,) = reading.problems(problems)
    assert problem.startswith(f"providers.dodo.shop.payment_grave ({PREFIX}PAYMENT_GRAVE): ")
    assert problem.endswith("did you mean payment_grace?")
    assert "canary" not in str(reading.effective(own_settings()))


def test_setting_of_another_provider_is_refused() -> None:
    """What only Square has means nothing at Dodo."""
    reading = read(environ={f"{PREFIX}API_KEY": "key", f"{PREFIX}LOCATION_ID": "L1"})
    (problem,) = reading.problems(problems)
    assert "dodo has no such setting" in problem


def test_own_settings_are_shown_and_reach_the_adapter() -> None:
    """A provider's own settings are listed with their values and given to its adapter."""
    prefix = "CHECKOUT_PROVIDERS__SQUARE__DEFAULT__"
    environ = {f"{prefix}API_KEY": "key", f"{prefix}LOCATION_ID": "L1", f"{prefix}CURRENCY": "USD"}
    reading = read(environ=environ)
    shown = {setting.path[-1]: value for setting, value, _ in reading.effective(own_settings())}
    assert (shown["location_id"], shown["call"]) == ("L1", "")
    (account,) = configured_accounts(reading.valid(problems))
    assert account.own == {"location_id": "L1", "currency": "USD"}
