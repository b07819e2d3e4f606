"""The service's modules as syntax trees, for the rules in this folder."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One source file: its path from the repository's root, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The dotted name the file is imported by."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def layer(self) -> str:
        """The part of the service the file belongs to, or its own name directly below it."""
        return self.name.split(".")[1] if "." in self.name else ""

    def imports(self) -> Iterator[str]:
        """Yield the absolute dotted name of everything imported, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parent.parts
        above = package[: len(package) - node.level + 1]
        return ".".join((*above, node.module) if node.module else above)

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield every use of something imported, by its full dotted name, and its line."""
        full = dict(self._imported_names())
        for node in ast.walk(self.tree):
            first, _, rest = _dotted(node).partition(".")
            if first in full:
                yield f"{full[first]}.{rest}".rstrip("."), _line(node)

    def _imported_names(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    root = alias.name.split(".")[0]
                    yield (alias.asname, alias.name) if alias.asname else (root, root)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                for alias in node.names:
                    yield alias.asname or alias.name, f"{base}.{alias.name}"

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yield every function and its length in lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{self.path}:{node.lineno} {node.name}", _length(node)

    def texts(self) -> Iterator[tuple[str, int]]:
        """Yield every string that is not a docstring, and its line."""
        nodes = list(ast.walk(self.tree))
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            match node:
                case ast.Constant(value=str(text)) if id(node) not in documentation:
                    yield text, node.lineno


@cache
def modules(*folders: str) -> list[Module]:
    """Read every Python file below folders of the repository."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [_read(path) for path in found]


@cache
def _read(path: Path) -> Module:
    text = path.read_text("utf-8")
    return Module(path.relative_to(ROOT), text, ast.parse(text))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
