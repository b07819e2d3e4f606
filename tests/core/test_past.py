"""What was missed: read once for all who ask for it together, and kept for nobody else."""

import asyncio

from service.core.past import Past
from tests.core.conftest import Service
from tests.core.following import PATIENCE, Watched
from tests.core.test_end import opened

PARTS = 50


async def test_what_was_read_is_not_kept(service: Service) -> None:
    """Whoever catches up alone leaves a few parts behind for the moment, and none after it."""
    past = Past(store=service.store, feed=Watched(service).feed)
    await opened(service)
    for position in range(PARTS):
        await past.of_all(position, position + 1)
    assert 0 < past.kept < PARTS
    async with asyncio.timeout(PATIENCE):
        while past.kept:
            await asyncio.sleep(0.05)
