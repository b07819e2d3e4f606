"""The follower of all changes: what it does where the store's positions do not simply go on."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.core.errors import CursorOutOfRange
from tests.core.conftest import Service
from tests.core.following import PATIENCE, Stream, Watched
from tests.core.test_end import opened
from tests.core.test_webhooks import deliver


async def until_the_end(stream: Stream) -> None:
    """Read a stream for as long as it goes on."""
    while True:
        await stream.next()


async def test_a_watcher_waits_for_no_entry_that_is_no_change(service: Service) -> None:
    """The newest entry of the store may be nobody's news: whoever comes then is told what follows at once."""
    service.clock.stands_still = True
    watched = Watched(service)
    async with watched.stream() as first:
        await first.until_checkpoint()
        session_id = await opened(service)
        await first.changes(2)
        paid = {"session": session_id, "payment": "p_1", "status": "PAID"}
        await deliver(service, id="e_1", **paid)
        await first.changes(1)
        await deliver(service, id="e_1", **paid)
        async with asyncio.timeout(PATIENCE), watched.stream() as second:
            await second.until_checkpoint()


async def test_a_store_that_goes_back_ends_watches(service: Service, tmp_path: Path) -> None:
    """Where an older copy takes the store's place, watchers are told instead of waiting for what comes no more."""
    service.clock.stands_still = True
    watched = Watched(service)
    async with watched.stream() as stream:
        await stream.until_checkpoint()
        await opened(service)
        await stream.changes(2)
        with closing(sqlite3.connect(tmp_path / "checkout.db")) as copy, copy:
            copy.execute("DELETE FROM timeline")
        service.clock.stands_still = False
        with pytest.raises(CursorOutOfRange) as ended:
            await asyncio.wait_for(until_the_end(stream), PATIENCE)
    assert ended.value.metadata == {"cause": "ahead"}
