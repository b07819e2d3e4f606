"""What a start loads, and what it leaves to those who need it."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, modules

SERVICE = {module.name: module for module in modules("service")}
SERVE = ("service.cli", "service.config", "service.accounts", "service.app")

# Each is needed by some services and never by all, or by a program of its own.
ELSEWHERE = (
    *("alembic", "asyncpg", "jinja2", "sqlalchemy"),
    *("service.doctor", "service.sandbox", "service.storage.postgres", "service.storage.sqlite"),
)


def loaded(module: Module) -> Iterator[str]:
    """Yield what a module imports as soon as it is imported itself."""
    for statement in module.tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            alone = ast.Module([statement], [])
            yield from Module(module.path, module.text, alone).imports()


def of_a_start() -> set[str]:
    """Return the dotted names of everything that `serve` imports whatever is set."""
    found: set[str] = set()
    waiting = list(SERVE)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        module = SERVICE.get(name) or SERVICE.get(name.rpartition(".")[0])
        if module is not None:
            waiting += [module.name, *loaded(module)]
    return found


def test_a_start_loads_what_every_service_needs() -> None:
    """No service waits for a library that it has no use for."""
    names = of_a_start()
    assert {"aiohttp.web", "grpc.aio", "service.web.webhooks"} <= names
    assert {name for name in names if name.startswith(ELSEWHERE)} == set()


def test_a_start_loads_no_adapter() -> None:
    """A provider without an account costs no time."""
    providers = {name for name in of_a_start() if name.startswith("service.providers.")}
    folders = {name.rpartition(".")[0] for name in SERVICE if name.endswith(".adapter")}
    folders.remove("service.providers")
    assert "service.providers.http" in providers
    assert {name for name in providers if name.startswith(tuple(folders))} == set()
