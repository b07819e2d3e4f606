"""A program that creates sessions for ever and prints each id once it is acknowledged."""

import asyncio
import os
import sys

from service.core.record import RequestKey
from service.storage.registry import open_store
from tests.storage.records import changed, record, session_id

TASKS = 8


async def main(url: str) -> None:
    """Create and save sessions in several tasks at once."""
    store = await open_store(url)

    async def create(first: int) -> None:
        for number in range(first, sys.maxsize, TASKS):
            one = record(number, RequestKey("shop", str(number)))
            await store.create(one)
            os.write(1, f"{session_id(number)} 1\n".encode())
            await store.save(changed(one), expected_version=1, references=(f"payment:{number}",))
            os.write(1, f"{session_id(number)} 2\n".encode())

    await asyncio.gather(*(create(first) for first in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
