"""The page about a failing store names every fault that is tried, and nothing that is not."""

import re

from tests.architecture.source import ROOT
from tests.e2e.wire import test_store_faults_postgres as postgres
from tests.e2e.wire import test_store_faults_sqlite as sqlite

PAGE = ROOT / "docs" / "store-faults.md"
STORES = {"PostgreSQL": postgres, "SQLite": sqlite}


def rows(store: str) -> list[list[str]]:
    """Read the cells of every row about a store."""
    _, section = PAGE.read_text("utf-8").split(f"\n## {store}\n")
    lines = section.split("\n## ")[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines if re.match(r"\| (?!-)", line)]


def named(store: str) -> set[str]:
    """Return the tests that a store's rows name."""
    return {name for row in rows(store) for name in re.findall(r"`(test_\w+)`", row[-1])}


def faults(store: str, test: str) -> set[str]:
    """Return the faults whose rows name a test."""
    told = [row for row in rows(store) if row[0].startswith("`") and f"`{test}`" in row[-1]]
    return {row[0].split("`")[1] for row in told}


def test_every_test_has_its_row() -> None:
    """What is tried is told, and what is told is tried."""
    for store, module in STORES.items():
        assert named(store) == {name for name in vars(module) if name.startswith("test_")}


def test_every_fault_has_its_row() -> None:
    """Each fault that a test is run with has a row that names the test."""
    assert faults("PostgreSQL", "test_away") == set(postgres.AWAY)
    assert faults("PostgreSQL", "test_unwritable") == set(postgres.UNWRITABLE)
    assert faults("SQLite", "test_unwritable") == set(sqlite.FAULTS)
