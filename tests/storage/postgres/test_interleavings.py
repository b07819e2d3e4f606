"""Webhooks and windows tell of one payment, in whatever order, and it counts once in PostgreSQL too."""

import asyncio
from datetime import timedelta

from hypothesis import given, settings

from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, serving
from tests.core.looking import look
from tests.core.seller import ListingSeller
from tests.core.test_interleavings import STORIES, Story, happens
from tests.storage.postgres.conftest import emptied


@settings(max_examples=8, deadline=None, derandomize=True)
@given(story=STORIES)
async def test_webhooks_and_windows_agree_in_any_order(migrated_url: str, story: Story) -> None:
    """Whatever webhooks come, twice or never, before or after a look: the session ends the same."""
    seller = ListingSeller()
    seller.lists_in_short = story.lists_in_short
    store = await open_store(await asyncio.to_thread(emptied, migrated_url))
    try:
        shop = await serving(store, ManualClock(), seller, CountingIds())
        await look(shop, timedelta(0))
        await happens(story, shop, seller)
        await shop.background.drain(timedelta(seconds=20))
    finally:
        await store.close()
