"""The crash matrix names the points at which processes are killed, and the tests that do it."""

from pathlib import Path
from typing import Any

from tests.torture import (
    test_money_points,
    test_points,
    test_sellapp_points,
    test_square_points,
    test_statements,
    test_takeover,
)
from tests.torture.deaths import on_both_stores
from tests.torture.points import POINTS

TESTS = {
    **vars(test_points),
    **vars(test_square_points),
    **vars(test_sellapp_points),
    **vars(test_money_points),
    **vars(test_statements),
    **vars(test_takeover),
}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "crash-matrix.md"


def rows() -> list[list[str]]:
    """Read the rows of the matrix."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines]


def points_of(test: Any) -> set[str]:  # noqa: ANN401 - a test function has marks that no type tells
    """Return the points at which a test kills."""
    found = set()
    for mark in getattr(test, "pytestmark", ()):
        names = mark.args[0]
        if "point" in names:
            values = mark.args[1]
            found |= {value if isinstance(value, str) else value[0] for value in values}
    return found


def runs_on_both(test: Any) -> bool:  # noqa: ANN401
    """Tell whether a test runs on each kind of store."""
    return on_both_stores.mark in getattr(test, "pytestmark", ())


def test_every_point_has_its_row() -> None:
    """No point is missing, none is made up, and all stand in the order of their steps."""
    assert [row[0] for row in rows()] == list(POINTS)


def test_every_row_is_proven() -> None:
    """The test that a row names kills at its point."""
    wrong = [row[0] for row in rows() if row[0] not in points_of(TESTS[row[-1]])]
    assert wrong == []


def test_every_row_is_proven_on_both_stores() -> None:
    """Whatever a row says of the store is seen on a file and on a database."""
    wrong = [row[0] for row in rows() if not runs_on_both(TESTS[row[-1]])]
    assert wrong == []


def test_every_test_of_the_page_exists() -> None:
    """Whatever the page names as a proof can be run."""
    words = PAGE.read_text("utf-8").replace("`", " ").replace("(", " ").split()
    named = {word for word in words if word.startswith("test_")}
    assert named - TESTS.keys() == set()
