"""Long work in portions."""

import asyncio

from service.core import portions


async def test_others_have_their_turn() -> None:
    """Whoever else is ready runs after each item, and nothing is left out or changes place."""
    order: list[object] = []

    async def other() -> None:
        for number in range(3):
            order.append(f"other {number}")
            await asyncio.sleep(0)

    def double(number: int) -> int:
        order.append(number)
        return 2 * number

    made, _ = await asyncio.gather(portions.each(double, [1, 2, 3]), other())
    assert made == [2, 4, 6]
    assert order == [1, "other 0", 2, "other 1", 3, "other 2"]
