"""Long work of the event loop in portions, so that nobody else waits for all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
U = TypeVar("U")


# A turn of the loop costs about as much as one item of the work that is done here.
PORTION = 5
"""After how many items others have their turn."""


async def each(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Return what `work` makes of each item, others having their turn now and then."""
    made = []
    for number, item in enumerate(items, 1):
        made.append(work(item))
        if number % PORTION == 0:
            await asyncio.sleep(0)
    return made
