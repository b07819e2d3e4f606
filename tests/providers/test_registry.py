"""The table of providers."""

from pathlib import Path

import pytest

import service.providers
from service.core.ports import Provider
from service.providers.registry import PROVIDERS, Providers, build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings

OWN = {
    "clover": {"merchant_id": "M1", "currency": "CAD"},
    "sellapp": {"store": "demo-store"},
    "fastspring": {"username": "U1", "store": "shop", "checkout": "web-main"},
    "square": {
        "location_id": "L1",
        "currency": "USD",
        "webhook_url": "https://shop.example/webhooks/square/second",
    },
}


def settings(provider: str, **changes: object) -> AccountSettings:
    """Return settings of an account without problems."""
    fields: dict[str, object] = {
        "provider": provider,
        "live": True,
        "api_key": Secret(value="key"),
        "webhook_secrets": (Secret(value="whsec_" + "A" * 32),),
        "own": OWN.get(provider, {}),
    }
    return AccountSettings(**(fields | changes))  # type: ignore[arg-type]


def test_every_folder_is_in_the_table() -> None:
    """A provider that is built is there to be configured, in the order of the alphabet."""
    folders = [
        path.parent.name for path in Path(service.providers.__file__).parent.glob("*/adapter.py")
    ]
    assert list(PROVIDERS) == sorted(folders)
    assert len(PROVIDERS) == len(folders)


def test_names_are_told_without_any_adapter() -> None:
    """Only the entry that is asked for is imported."""
    providers = Providers({"dodo": "service.providers.dodo.adapter", "gone": "no.such.module"})
    assert (list(providers), "gone" in providers, "other" in providers) == (
        ["dodo", "gone"],
        True,
        False,
    )
    assert providers["dodo"] is PROVIDERS["dodo"]
    with pytest.raises(ModuleNotFoundError):
        providers["gone"]
    with pytest.raises(KeyError):
        providers["other"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_entry_builds_the_adapter_of_its_name(name: str) -> None:
    """An adapter is called as the table calls it, and has its account's facts."""
    account = settings(name, account="second")
    provider: Provider = build_provider(account, chance=lambda: 0.0, observe=lambda *_: None)
    assert (provider.name, provider.account, provider.live) == (name, "second", True)
    assert list(PROVIDERS[name].problems(account)) == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_secrets_that_cannot_work_are_found_before_the_first_call(
    name: str, tmp_path: Path
) -> None:
    """Each unusable secret is a problem, told without its value."""
    account = settings(
        name,
        api_key=Secret(file=tmp_path / "none"),
        webhook_secrets=(Secret(value="c@nary\x07"), Secret(file=tmp_path / "neither")),
    )
    problems = list(PROVIDERS[name].problems(account))
    assert len(problems) == 3
    assert "c@nary" not in "".join(problems)
