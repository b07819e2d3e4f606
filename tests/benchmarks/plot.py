"""A plot of cost against the number of stored sessions, as an SVG drawn by hand."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 220, 20, 50
# Told apart by eyes of every kind, on white and on black, and by their dashes without colour.
_STYLES = (("#0072b2", ""), ("#d55e00", "7 4"), ("#009e73", "2 4"), ("#b8609b", "10 3 2 3"))


class Line(NamedTuple):
    """A named line: the cost of a call in microseconds, by the number of stored sessions."""

    name: str
    points: Mapping[int, float]


def drawn(lines: Sequence[Line]) -> str:
    """Return the plot of some lines that share their numbers of sessions."""
    sizes = sorted(lines[0].points)
    top = _above(max(max(line.points.values()) for line in lines))
    marks = "\n".join([*_axes(sizes, top), *_curves(lines, sizes, top)])
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"
  aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="13">
<title id="title">Processor time of a call by the number of stored sessions</title>
<desc id="description">{_told(lines)}</desc>
<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>
{marks}
</svg>
"""


def _told(lines: Sequence[Line]) -> str:
    return " ".join(
        f"{line.name}: "
        + ", ".join(f"{cost:.0f} µs with {size:,}" for size, cost in sorted(line.points.items()))
        + "."
        for line in lines
    )


def _above(cost: float) -> float:
    step: float = 10 ** math.floor(math.log10(cost))
    return math.ceil(cost / step) * step


def _axes(sizes: Sequence[int], top: float) -> Iterator[str]:
    for part in range(5):
        cost = top * part / 4
        y = _y(cost, top)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ccc"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{cost:,.0f}</text>'
    for size in sizes:
        x = _x(size, sizes)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{size:,}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">stored sessions</text>'
    height = (_TOP + _HEIGHT - _BOTTOM) / 2
    yield (
        f'<text transform="translate(16 {height:.1f}) rotate(-90)" text-anchor="middle">'
        "processor time, µs a call</text>"
    )


def _curves(lines: Sequence[Line], sizes: Sequence[int], top: float) -> Iterator[str]:
    labels = _apart([_y(line.points[sizes[-1]], top) for line in lines])
    for line, (colour, dashes), label in zip(lines, _STYLES, labels, strict=False):
        places = [(_x(size, sizes), _y(line.points[size], top)) for size in sizes]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        yield (
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"'
            f' stroke-dasharray="{dashes}"/>'
        )
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        end = _WIDTH - _RIGHT + 12
        yield f'<text x="{end}" y="{label + 4:.1f}" fill="{colour}">{line.name}</text>'


def _apart(heights: Sequence[float], least: float = 18) -> list[float]:
    """Return heights for labels that do not lie on each other, in the order of what they name."""
    placed: dict[int, float] = {}
    last = -least
    for place in sorted(range(len(heights)), key=heights.__getitem__):
        last = max(heights[place], last + least)
        placed[place] = last
    return [placed[place] for place in range(len(heights))]


def _x(size: int, sizes: Sequence[int]) -> float:
    # Each size is ten times the one before: what grows with their number would be seen to curve up.
    return _LEFT + sizes.index(size) * (_WIDTH - _RIGHT - _LEFT) / max(1, len(sizes) - 1)


def _y(cost: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - cost / top * (_HEIGHT - _BOTTOM - _TOP)
