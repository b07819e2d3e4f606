"""What no code may do, and the one place where it may."""

import ast
import re
import tokenize
from io import StringIO

import pytest

from tests.architecture.source import Module, modules

SERVICE = modules("service")

SQL = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+(or\s+\w+\s+)?into\b|\bupdate\s+\w+\s+set\b"
    r"|\bdelete\s+from\b|\bcreate\s+(table|(unique\s+)?index)\b|\bpragma\s+\w+",
    re.IGNORECASE | re.DOTALL,
)

ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.putenv")
CLOCKS = (
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
)
PROMISE = re.compile(r"\b(TODO|FIXME|XXX)\b")
CHANCE = ("uuid.uuid1", "uuid.uuid4", "random", "secrets", "os.urandom")


def uses(names: tuple[str, ...], allowed: str) -> list[str]:
    """List where the service reads one of some names outside the package that may."""
    return [
        f"{module.path}:{line} {name}"
        for module in SERVICE
        if not f"{module.name}.".startswith(f"{allowed}.")
        for name, line in module.names()
        if any(name == banned or name.startswith(f"{banned}.") for banned in names)
    ]


def test_only_the_settings_read_the_environment() -> None:
    """Every setting has one door."""
    assert uses(ENVIRONMENT, "service.config") == []


def test_only_the_clock_reads_the_time() -> None:
    """Whoever needs the time is given a clock."""
    assert uses(CLOCKS, "service.core.clock") == []


def test_only_the_id_source_takes_chances() -> None:
    """Whoever needs an id or a random number is given a source of them."""
    assert uses(CHANCE, "service.core.clock") == []


def test_sql_stays_in_storage() -> None:
    """No statement stands outside the layer that owns the tables."""
    found = [
        f"{module.path}:{line}"
        for module in SERVICE
        if module.layer != "storage"
        for text, line in module.texts()
        if SQL.search(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "name", ["utils", "util", "helpers", "helper", "common", "misc", "manager"]
)
def test_no_module_has_a_name_for_anything(name: str) -> None:
    """A module is named after what it holds."""
    assert [
        str(module.path) for module in modules("service", "tests") if name in module.path.stem
    ] == []


def test_nothing_changes_a_module_from_inside() -> None:
    """Modules keep no state."""
    found = [
        f"{module.path}:{node.lineno}"
        for module in SERVICE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    """No code says that it is not finished."""
    found = [
        f"{module.path}: {finding}"
        for module in modules("service", "tests", "proto")
        for finding in (*unfinished(module), *promises(module))
    ]
    assert found == []


def unfinished(module: Module) -> list[str]:
    """List the functions that only say that they are missing."""
    if "NotImplementedError" not in module.text:
        return []
    return [
        f"line {node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)
    ]


def promises(module: Module) -> list[str]:
    """List the comments that put work off."""
    # Taking every file apart would take longer than all other rules together.
    if not PROMISE.search(module.text):
        return []
    tokens = tokenize.generate_tokens(StringIO(module.text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [comment for comment in comments if PROMISE.search(comment)]
