"""Long work in portions."""

import asyncio

from service.core import portions


async def test_others_have_their_turn() -> None:
    """Whoever else is ready runs after each portion, and nothing is left out or changes place."""
    order: list[object] = []

    async def other() -> None:
        for number in range(2):
            order.append(f"other {number}")
            await asyncio.sleep(0)

    def double(number: int) -> int:
        order.append(number)
        return 2 * number

    numbers = range(2 * portions.PORTION + 1)
    made, _ = await asyncio.gather(portions.each(double, numbers), other())
    assert made == [2 * number for number in numbers]
    first, second = numbers[: portions.PORTION], numbers[portions.PORTION : -1]
    assert order == [*first, "other 0", *second, "other 1", numbers[-1]]
