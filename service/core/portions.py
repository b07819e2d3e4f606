"""Long work of the event loop in portions, so that nobody else waits for all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
U = TypeVar("U")


async def each(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Return what `work` makes of each item, others having their turn after each."""
    made = []
    for item in items:
        made.append(work(item))
        await asyncio.sleep(0)
    return made
