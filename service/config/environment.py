"""Finds settings among environment variables, and refuses names that are none."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from service.config.names import (
    ACCOUNT_PREFIX,
    ACCOUNT_SETTING_DEPTH,
    FILE_NAME,
    PREFIX,
    SettingPath,
    settings_table,
)

# Kubernetes describes a Service called "checkout" to every pod beside it in variables like these
# (enableServiceLinks), and Docker links did the same.
_LINK = re.compile(
    r"CHECKOUT_([A-Z0-9_]+_)?"
    r"(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)

Document = dict[str, object]


def inherited(**more: str) -> dict[str, str]:
    """Return this process's environment with more variables, for a process it starts."""
    return {**os.environ, **more}


def from_environment(environ: Mapping[str, str]) -> tuple[Document, list[str]]:
    """Return the settings found, in the shape of the file, and a line for each unknown name."""
    known = {setting.variable: setting.path for setting in settings_table()}
    document: Document = {}
    problems = []
    for name, value in _ours(environ):
        path = _account_path(name) if name.startswith(ACCOUNT_PREFIX) else known.get(name)
        if path is None:
            problems.append(f"{name} (environment): unknown name; {_hint(name, known)}")
        elif value:
            put(document, path, value)
    return document, problems


def _ours(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name != FILE_NAME and not _LINK.fullmatch(name):
            yield name, value


def _account_path(name: str) -> SettingPath | None:
    path = tuple(name.removeprefix(PREFIX).lower().split("__"))
    return path if len(path) == ACCOUNT_SETTING_DEPTH and all(path) else None


def _hint(name: str, known: Iterable[str]) -> str:
    if name.startswith(ACCOUNT_PREFIX):
        return f"write {ACCOUNT_PREFIX}<PROVIDER>__<ACCOUNT>__<SETTING>"
    names = [variable.removeprefix(PREFIX) for variable in known]
    close = get_close_matches(name.removeprefix(PREFIX).replace("__", "_"), names, n=1)
    return f"did you mean {PREFIX}{close[0]}?" if close else "remove it, or see `checkout config`"


def put(document: Document, path: SettingPath, value: object) -> None:
    """Set a value in nested tables, making the tables it needs."""
    table = document
    for name in path[:-1]:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        table = inner
    table[path[-1]] = value


def find(document: Mapping[str, object], path: SettingPath) -> object | None:
    """Return the value at a path of nested tables, if there is one."""
    value: object = document
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def drop(document: Document, path: SettingPath) -> bool:
    """Remove what stands at a path of nested tables; tell whether something did."""
    table = find(document, path[:-1]) if path[:-1] else document
    return isinstance(table, dict) and table.pop(path[-1], None) is not None
