"""Tables in the documentation say what the code does."""

import re
from pathlib import Path

import pytest

from service.core.lifecycle import TABLE, Event, Move
from service.core.model import PaymentStatus, State
from service.sandbox.dodo.catalogue import demo_catalogue
from service.sandbox.page.languages import FOLDER
from tests.e2e.documents import README, ROOT, SANDBOX

LIFECYCLE = ROOT / "docs" / "lifecycle.md"

CELLS = {
    Move.STAY: "\N{EN DASH}",
    Move.OPEN: "`OPEN`",
    Move.JUDGE: "judged",
    Move.FAIL: "`FAILED`",
    Move.LEAVE_UNRESOLVED: "`UNRESOLVED`",
    Move.EXPIRE: "`EXPIRED`",
    Move.EXPIRE_UNLESS_PROCESSING: "`EXPIRED` (1)",
    Move.EXPIRE_OR_REFUSE: "`EXPIRED` (2)",
    Move.REFUSE: "refused",
}
MAX_LINES = 250


def rows(page: Path, first_column: str) -> list[list[str]]:
    """Read the table of a page whose first column has a title, its head included."""
    text = page.read_text("utf-8")
    table = re.search(rf"^\| {first_column} .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert table, first_column
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()]
    return [cells[0], *cells[2:]]


def code(cell: str) -> str:
    """Return the name that stands as code at the start of a cell."""
    return cell.split("`")[1]


def test_table_of_events_is_the_lifecycle() -> None:
    """Every cell of the published table is the one the service goes by."""
    head, *lines = rows(LIFECYCLE, "Event")
    assert [code(cell) for cell in head[1:]] == [state.name for state in State]
    expected = {
        event.name: [CELLS[TABLE[state].get(event, Move.STAY)] for state in State]
        for event in Event
    }
    assert {code(line[0]): line[1:] for line in lines} == expected


def test_every_state_and_status_is_described() -> None:
    """No state and no payment status is missing, and none is made up."""
    states = [code(line[0]) for line in rows(LIFECYCLE, "State")[1:]]
    assert states == [state.name for state in State]
    statuses = {code(line[0]) for line in rows(LIFECYCLE, "`payment_status`")[1:]}
    assert statuses == {status.name for status in PaymentStatus}


def test_catalogue_is_what_the_sandbox_sells() -> None:
    """Every product of the demo store is listed with its price, and every code is named."""
    catalogue = demo_catalogue()
    listed = {code(line[0]): line[1] for line in rows(SANDBOX, "`product_id`")[1:]}
    assert listed == {p.product_id: f"{p.price} {p.currency}" for p in catalogue.products.values()}
    text = SANDBOX.read_text("utf-8")
    named = [*catalogue.addons, *catalogue.discounts, *catalogue.collections, *catalogue.customers]
    assert [name for name in named if f"`{name}`" not in text] == []


def test_languages_are_counted() -> None:
    """The page speaks as many languages as it is said to."""
    listed = re.search(r"twelve: (.*?)\.", SANDBOX.read_text("utf-8"), re.DOTALL)
    assert listed
    assert len(re.split(r",\s+|\s+and\s+", listed[1])) == 12 == len(list(FOLDER.glob("*.json")))


def test_readme_is_short() -> None:
    """The README stays a page one can read."""
    assert len(README.read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "page",
    [README, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "service").rglob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of the documentation leads to a file of the repository."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []
