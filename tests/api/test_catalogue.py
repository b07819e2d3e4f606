"""The reasons of the enum, the page, the rules and the status table are the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from checkout.v1.error_reason_pb2 import ErrorReason
from service.api import descriptors, status
from service.core import errors
from service.core.errors import CheckoutError
from service.core.model import Violation
from tests.api.refusals import decoded

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ERROR_REASON_"
UNSPECIFIED = "UNSPECIFIED"
COLUMNS = 5
ENUM_FILE, ENUM_VALUES = "checkout/v1/error_reason.proto", [5, 0, 2]

# Who may name an error without raising it.
TABLES = ("service/core/errors.py", "service/api/status.py")


@dataclass(frozen=True)
class Row:
    """What the page says of a reason."""

    code: str
    detail: str
    metadata: frozenset[str]
    retry: str


def leaves(kind: type[CheckoutError] = CheckoutError) -> Iterator[type[CheckoutError]]:
    """Yield the errors that stand for one fact each."""
    below = kind.__subclasses__()
    if not below:
        yield kind
    for part in below:
        yield from leaves(part)


def page() -> dict[str, Row]:
    """Read the table of docs/errors.md."""
    text = (ROOT / "docs" / "errors.md").read_text("utf-8").partition("## Reasons")[2]
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == COLUMNS and (found := re.fullmatch(r"`([A-Z_]+)`", cells[0])):
            detail = re.match(r"`(\w+)`", cells[2])
            rows[found[1]] = Row(
                code=cells[1].strip("`"),
                detail=detail[1] if detail else "",
                metadata=frozenset(re.findall(r"`(\w+)`", cells[3])),
                retry=cells[4],
            )
    return rows


def comments() -> dict[str, str]:
    """Read the comments of the enum's values from the descriptor set."""
    (file,) = (file for file in descriptors.load().file if file.name == ENUM_FILE)
    values = file.enum_type[0].value
    return {
        values[location.path[3]].name.removeprefix(PREFIX): location.leading_comments
        for location in file.source_code_info.location
        if len(location.path) == 4 and location.path[0] == ENUM_VALUES[0]
    }


def raises() -> Iterator[tuple[str, ast.Call]]:
    """Yield every place that makes an error of the rules, by the name of its class."""
    names = {kind.__name__ for kind in leaves()}
    for path in sorted((ROOT / "service").rglob("*.py")):
        if str(path.relative_to(ROOT)) in TABLES:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (name := _name(node.func)) in names:
                yield name, node


@cache
def mentions() -> set[str]:
    """Return every error named in the service, where they are only listed left out."""
    paths = (path for path in (ROOT / "service").rglob("*.py"))
    return {
        _name(node)
        for path in paths
        if str(path.relative_to(ROOT)) not in TABLES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    }


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


PAGE = page()
LEAVES = {kind.reason: kind for kind in leaves()}


def test_every_list_has_the_same_reasons() -> None:
    """No reason is missing from the enum, the page, the tree of errors or the table."""
    enum = {name.removeprefix(PREFIX) for name in ErrorReason.DESCRIPTOR.values_by_name} - {
        UNSPECIFIED
    }
    assert set(PAGE) == enum
    assert {*LEAVES, status.INTERNAL} == enum
    assert {*status.TABLE, status.INTERNAL} == enum
    assert len(LEAVES) == len(list(leaves()))


@pytest.mark.parametrize("reason", sorted(LEAVES))
def test_the_page_says_what_is_sent(reason: str) -> None:
    """Code and detail of the page are those of the answer."""
    error = LEAVES[reason]("text", session_id="cs_1", violations=[Violation("ttl", "too long")])
    answer = status.of_error(error)
    ((_, raw),) = answer.trailers
    sent = set(decoded(raw)) - {"ErrorInfo"}
    assert PAGE[reason].code == answer.code.name
    assert {PAGE[reason].detail} - {""} == sent


def test_the_page_says_what_a_bug_answers() -> None:
    """INTERNAL, which no rule raises, is on the page as it is sent."""
    answer = status.of_bug("log_1")
    ((_, raw),) = answer.trailers
    assert PAGE["INTERNAL"].code == answer.code.name
    assert PAGE["INTERNAL"].metadata == set(decoded(raw)["ErrorInfo"]["metadata"])


@pytest.mark.parametrize("reason", sorted(PAGE))
def test_the_enum_says_what_the_page_says(reason: str) -> None:
    """A value's comment names its code and detail, no metadata the page lacks, and the retry."""
    comment, row = comments()[reason], PAGE[reason]
    assert re.search(rf"\b{row.code}\b", comment)
    if row.detail:
        assert row.detail in comment
    metadata = re.search(r"Metadata:([\w\s,]+)[.:]", comment)
    named = set(re.findall(r"[a-z_]+", metadata[1].partition(" which")[0])) if metadata else set()
    assert named <= row.metadata
    assert "Retry:" in comment
    assert row.retry


@pytest.mark.parametrize("reason", sorted(LEAVES))
def test_every_reason_is_raised(reason: str) -> None:
    """No reason is promised that nothing answers."""
    assert LEAVES[reason].__name__ in mentions()


def test_raise_sites_give_what_the_page_promises() -> None:
    """Every metadata key written where an error is made stands in its row."""
    by_name = {kind.__name__: kind.reason for kind in leaves()}
    wrong = [
        f"{name}: {key}"
        for name, call in raises()
        for key in _keys(call)
        if key not in PAGE[by_name[name]].metadata
    ]
    assert wrong == []


def _keys(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "session_id":
            yield "session_id"
        if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
            for key in keyword.value.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value)


def test_the_tree_is_drawn_as_it_is() -> None:
    """The picture at the top of the errors names each leaf with its reason."""
    drawn = dict(re.findall(r"([A-Z]\w+)\s+([A-Z_]{3,})$", errors.__doc__ or "", re.MULTILINE))
    assert drawn == {kind.__name__: kind.reason for kind in leaves()}
