"""The page for operators names the metrics and log events that there are."""

import ast
import re
from collections.abc import Iterator

from service.core.chronicle import UPDATED
from service.core.model import PaymentState
from service.core.webhooks import Receipt
from tests.architecture.source import ROOT, modules

PAGE = ROOT / "docs" / "operations.md"
SUFFIXES = {"Counter": "_total", "Histogram": "", "Gauge": ""}
EVENT = re.compile(r"[a-z]+\.[a-z_]+")


def column(title: str) -> set[str]:
    """Read the names in the first column of the table with a title."""
    text = PAGE.read_text("utf-8")
    table = re.search(rf"^\| {title} .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert table, title
    cells = [line.split("|")[1] for line in table[0].splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def metrics() -> Iterator[str]:
    """Yield the name of every metric the service makes, as a scraper sees it."""
    for module in modules("service"):
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), *_]):
                    if kind in SUFFIXES and name.startswith("checkout_"):
                        yield name + SUFFIXES[kind]


def events() -> set[str]:
    """Return every text of the service that can be a log event's name."""
    texts = {text for module in modules("service") for text, _ in module.texts()}
    made = {f"payment.{state.value.lower()}" for state in PaymentState}
    made |= {f"webhook.{receipt.value}" for receipt in Receipt}
    return {text for text in texts if EVENT.fullmatch(text)} | made


def test_every_metric_is_described() -> None:
    """No metric is missing from the table, and none is made up."""
    described = {name for name in column("Metric") if not name.endswith("…")}
    assert described == set(metrics())


def test_described_events_are_written() -> None:
    """No log event is made up, and every event of a session is described."""
    described = column("Event")
    assert described - events() == set()
    of_sessions = {text for text in events() if text.startswith(("session.", "attempt."))}
    # It has no line of its own: it is told to watchers alone.
    assert of_sessions - described == {UPDATED}
