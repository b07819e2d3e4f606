"""Reads the settings from the command line, the environment and one file, and checks them."""

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from service.config.environment import Document, drop, find, from_environment
from service.config.names import (
    FILE_NAME,
    Setting,
    SettingPath,
    account_table,
    render,
    settings_table,
)
from service.config.report import explain
from service.config.rules import Problem, sandbox_problems, service_problems
from service.config.settings import AccountSettings, SandboxSettings, Settings
from service.config.values import ListenAddress

__all__ = [
    "AccountSettings",
    "ListenAddress",
    "Problem",
    "Reading",
    "SandboxSettings",
    "Settings",
    "SettingsInvalidError",
    "read",
    "sandbox_problems",
    "service_problems",
]

Rules = Callable[[Settings], Iterable[Problem]]


class SettingsInvalidError(Exception):
    """The settings have problems, one line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Reading:
    """What was found: settings, each problem in one line, and where each value comes from.

    A setting with a problem of its own has its default in `settings`.
    """

    def __init__(self, sources: Mapping[str, Document], problems: Iterable[str]) -> None:
        self._sources = sources
        self._unread = tuple(problems)
        self.settings, self._invalid = _validate(sources)

    def problems(self, rules: Rules) -> tuple[str, ...]:
        """List every problem, those of the rules included."""
        broken = [
            str(problem)
            for problem in rules(self.settings)
            if not any(problem.follows_from(path) for path in self._invalid)
        ]
        return (*self._unread, *self._invalid.values(), *broken)

    def valid(self, rules: Rules) -> Settings:
        """Return the settings. Raises SettingsInvalidError with every problem."""
        if problems := self.problems(rules):
            raise SettingsInvalidError(problems)
        return self.settings

    def effective(
        self, own_settings: Mapping[str, Mapping[str, str]]
    ) -> list[tuple[Setting, str, str]]:
        """List every setting with its value, secrets masked, and the name of its source.

        `own_settings` are the meanings of those that only one provider has, by provider. A key that is
        not among them may be the wrong name of a secret, and is left to the list of problems.
        """
        accounts = [
            setting
            for provider, accounts in self.settings.providers.items()
            for name in accounts
            for setting in account_table(provider, name, own_settings.get(provider, {}))
        ]
        return [(setting, *self._shown(setting)) for setting in (*settings_table(), *accounts)]

    def _shown(self, setting: Setting) -> tuple[str, str]:
        source = next(
            (
                name
                for name, found in self._sources.items()
                if find(found, setting.path) is not None
            ),
            "default",
        )
        if setting.path in self._invalid:
            return "(refused)", source
        value: object = self.settings
        for name in setting.path:
            value = value[name] if isinstance(value, dict) else getattr(value, name, None)
        return render(value), source


def read(
    *,
    file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Reading:
    """Read the settings: `overrides` win over the environment, and that over the file."""
    environ = os.environ if environ is None else environ
    if file is None and environ.get(FILE_NAME):
        file = Path(environ[FILE_NAME])
    document, problems = _from_file(file) if file else ({}, [])
    variables, unknown = from_environment(environ)
    sources = {
        "command line": dict(overrides or {}),
        "environment": variables,
        "file": document,
    }
    return Reading(sources, (*problems, *unknown))


def _from_file(file: Path) -> tuple[Document, list[str]]:
    try:
        return tomllib.loads(file.read_text("utf-8")), []
    except OSError as error:
        return {}, [f"{file}: cannot be read ({error.strerror}); mend --config or {FILE_NAME}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{file}: not TOML: {error}"]


def _validate(sources: Mapping[str, Document]) -> tuple[Settings, dict[SettingPath, str]]:
    documents = [deepcopy(source) for source in sources.values()]
    invalid: dict[SettingPath, str] = {}
    while True:
        try:
            return _merge(documents), invalid
        except ValidationError as error:
            found = explain(error)
            dropped = [drop(document, path) for document in documents for path in found]
            if not any(dropped):
                raise
        invalid |= found


def _merge(documents: Iterable[Document]) -> Settings:
    class Merged(Settings):
        """The settings with these sources, the first of which wins."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(InitSettingsSource(settings_cls, document) for document in documents)

    return Merged()
