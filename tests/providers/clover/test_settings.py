"""What an operator sets for Clover alone."""

import pytest

from service.accounts import problems
from service.config import read
from service.providers.clover.settings import OWN_SETTINGS, CloverSettings, settings_problems

OWN = {"merchant_id": "FKKVS5QZVMS41", "currency": "CAD"}
PREFIX = "CHECKOUT_PROVIDERS__CLOVER__DEFAULT__"
ENOUGH = {f"{PREFIX}API_KEY": "key"} | {f"{PREFIX}{n.upper()}": v for n, v in OWN.items()}


def found(environ: dict[str, str]) -> list[str]:
    """List what keeps the service from starting in an environment."""
    return [str(problem) for problem in problems(read(environ=environ).valid(lambda _: ()))]


def test_a_merchant_and_its_currency_are_enough() -> None:
    """Nothing else belongs to Clover alone."""
    assert list(settings_problems(OWN)) == []
    settings = CloverSettings.of(OWN)
    assert (settings.merchant_id, settings.currency) == ("FKKVS5QZVMS41", "CAD")
    assert OWN.keys() == OWN_SETTINGS.keys()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"merchant_id": ""}, "merchant_id"),
        ({"merchant_id": "a b"}, "merchant_id"),
        ({"merchant_id": "x\r\ny: z"}, "merchant_id"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_each_wrong_setting_is_named(change: dict[str, str], name: str) -> None:
    """One line for each, with what to write instead."""
    (problem,) = settings_problems(OWN | change)
    assert problem.startswith(f"{name}: ")


def test_settings_come_from_the_environment() -> None:
    """An account of Clover is configured like any other."""
    assert found(ENOUGH) == []
    (problem,) = found(ENOUGH | {f"{PREFIX}CURRENCY": "EUR"})
    assert problem.startswith("providers.clover.default: currency: ")
