"""The examples in deploy/ name what there is."""

import re
from pathlib import Path

import pytest

from service.config import read
from service.config.names import settings_table
from tests.packaging.environments import ROOT

EXAMPLES = ["deploy/compose.yaml", "deploy/kubernetes.yaml", "Dockerfile", "docs/container.md"]
STOP = re.compile(r"(?:stop_grace_period: |terminationGracePeriodSeconds: |--stop-timeout )(\d+)")


@pytest.mark.parametrize("name", EXAMPLES)
def test_variables_are_settings(name: str) -> None:
    """Every variable of an example is one the service takes."""
    text = (ROOT / name).read_text("utf-8")
    known = {setting.variable for setting in settings_table()} | {"CHECKOUT_CONFIG"}
    found = set(re.findall(r"\bCHECKOUT_[A-Z_]+", text))
    assert found
    # Of an account's variables only the reading itself knows the last part.
    accounts = dict.fromkeys(found - known, "/file")
    assert all(variable.startswith("CHECKOUT_PROVIDERS__") for variable in accounts)
    assert read(environ=accounts).problems(lambda _: ()) == ()


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "deploy").glob("*.yaml")), ROOT / "docs" / "container.md"]
)
def test_containers_are_given_time_to_drain(path: Path) -> None:
    """Nobody is killed before each of the three steps of a stop had its time."""
    longest = 3 * read(environ={}).settings.drain_timeout.total_seconds()
    given = [int(seconds) for seconds in STOP.findall(path.read_text("utf-8"))]
    assert given
    assert min(given) > longest
