"""The documented settings are the settings there are."""

import re
from pathlib import Path

from service.accounts import own_settings, problems
from service.config import read
from service.config.names import Setting, account_table, settings_table

ROOT = Path(__file__).resolve().parents[2]


def line(setting: Setting, key: str, variable: str) -> str:
    """Write a setting as the table does."""
    default = f"`{setting.default}`" if setting.default else ""
    meaning = setting.description[:1].upper() + setting.description[1:]
    return f"| `{key}` | `{variable}` | {default} | {meaning} |"


def test_table_has_every_setting() -> None:
    """Every setting has its line, and every line its setting."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    service = [line(row, row.key, row.variable) for row in settings_table()]
    account = [line(row, row.path[-1], f"…__{row.path[-1].upper()}") for row in account_table()]
    own = [
        f"| `{provider}` | `{name}` | `…__{name.upper()}` | {meaning[:1].upper() + meaning[1:]} |"
        for provider, settings in own_settings().items()
        for name, meaning in settings.items()
    ]
    assert re.findall(r"^\| `.*$", page, re.MULTILINE) == service + account + own


def test_example_loads() -> None:
    """The example file starts a service as it stands."""
    assert read(file=ROOT / "deploy" / "config.example.toml", environ={}).problems(problems) == ()
