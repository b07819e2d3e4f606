"""Two actors at one session in PostgreSQL, each with connections of its own, as two processes have."""

import asyncio
from collections.abc import Sequence

from service.core.ports import Store
from service.storage.registry import open_store
from tests.storage.isolation import check_isolation
from tests.storage.postgres.conftest import emptied


def test_two_actors_at_one_session(migrated_url: str) -> None:
    """Whatever two do to one session, step by step, comes to what one after the other could have done."""

    async def open_both() -> Sequence[Store]:
        url = await asyncio.to_thread(emptied, migrated_url)
        return await open_store(url), await open_store(url)

    check_isolation(open_both, examples=16)
