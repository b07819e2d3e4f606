"""What an operator sets for Square alone."""

import pytest

from service.accounts import problems
from service.config import read
from service.providers.square.settings import Call, SquareSettings, settings_problems

OWN = {"location_id": "L1", "currency": "USD"}
SQUARE = "CHECKOUT_PROVIDERS__SQUARE__DEFAULT__"
ENOUGH = {f"{SQUARE}API_KEY": "token", f"{SQUARE}LOCATION_ID": "L1", f"{SQUARE}CURRENCY": "USD"}


def found(environ: dict[str, str]) -> list[str]:
    """List what keeps the service from starting in an environment."""
    return [str(problem) for problem in problems(read(environ=environ).valid(lambda _: ()))]


def test_a_location_and_its_currency_are_enough() -> None:
    """Payment links are made unless something else is said."""
    assert list(settings_problems(OWN, has_secrets=False)) == []
    settings = SquareSettings.of(OWN)
    assert (settings.call, settings.api_version) == (Call.LINKS, "2025-08-20")
    older = SquareSettings.of(OWN | {"call": "checkouts"})
    assert (older.call, older.api_version) == (Call.CHECKOUTS, "2022-05-12")
    assert SquareSettings.of(OWN | {"api_version": "2026-01-22"}).api_version == "2026-01-22"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"location_id": ""}, "location_id"),
        ({"location_id": "../x"}, "location_id"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "CHF"}, "currency"),
        ({"call": "both"}, "call"),
        ({"api_version": "latest"}, "api_version"),
        ({"webhook_url": "shop.example/hook"}, "webhook_url"),
    ],
)
def test_each_wrong_setting_is_named(change: dict[str, str], name: str) -> None:
    """One line for each, with what to write instead."""
    (problem,) = settings_problems(OWN | change, has_secrets=False)
    assert problem.startswith(f"{name}: ")


def test_a_key_needs_the_url_it_signs_with() -> None:
    """Without it no webhook could ever be verified."""
    (problem,) = settings_problems(OWN, has_secrets=True)
    assert problem.startswith("webhook_url: missing")
    url = {"webhook_url": "https://shop.example/webhooks/square/default/"}
    assert list(settings_problems(OWN | url, has_secrets=True)) == []


def test_settings_come_from_the_environment() -> None:
    """An account of Square is configured like any other."""
    assert found(ENOUGH) == []
    (problem,) = found(ENOUGH | {f"{SQUARE}CURRENCY": "XTS"})
    assert problem.startswith("providers.square.default: currency: ")


def test_other_providers_have_no_such_settings() -> None:
    """A setting that would do nothing is refused by its name."""
    dodo = "CHECKOUT_PROVIDERS__DODO__DEFAULT__"
    (problem,) = found({f"{dodo}API_KEY": "key", f"{dodo}LOCATION_ID": "L1"})
    assert f"{dodo}LOCATION_ID" in problem
    assert "dodo has no such setting" in problem
