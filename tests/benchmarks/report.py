"""The tables a run prints."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.benchmarks.measure import Spread
from tests.benchmarks.rounds import Rounds

_FIGURES = ("", "CPU µs a call", "calls/s", "p50 ms", "p99 ms")
_BARS = ("bar", "measured", "limit", "met")


class Bar(NamedTuple):
    """A limit, if there is one, and what was measured against it."""

    name: str
    measured: Spread
    limit: float | None = None
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the middle of what was measured keeps to the limit."""
        return self.limit is None or self.measured.median <= self.limit

    @property
    def row(self) -> Sequence[str]:
        """The bar as a row of its table."""
        measured = spread(self.measured, 2) + self.unit
        if self.limit is None:
            return (self.name, measured, "", "")
        limit = f"{self.limit:g}{self.unit}"
        return (self.name, measured, limit, "yes" if self.is_met else "NO")


def spread(figures: Spread, digits: int) -> str:
    """Write the middle of some figures and, where they differ, their extremes."""
    middle, low, high = (f"{figure:.{digits}f}" for figure in figures)
    return middle if low == high else f"{middle} ({low} to {high})"


def bars(found: Iterable[Bar]) -> str:
    """Write the table of all bars."""
    return table(_BARS, [bar.row for bar in found])


def figures(found: Iterable[tuple[str, Rounds]]) -> str:
    """Write the table of what each subject needed."""
    rows = [
        (
            name,
            spread(rounds.cpu_us, 0),
            spread(rounds.per_second, 0),
            spread(rounds.p50_ms, 2),
            f"{rounds.p99_ms:.2f}",
        )
        for name, rounds in found
    ]
    return table(_FIGURES, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cells below a head."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )
