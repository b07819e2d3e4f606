"""The SQLite store does what every store must."""

from collections.abc import AsyncIterator

import pytest

from service.core.ports import Store
from service.storage.registry import open_store
from tests.storage.events_suite import EventsSuite
from tests.storage.listing_suite import ListingSuite
from tests.storage.marks_suite import MarksSuite
from tests.storage.retention_suite import RetentionSuite
from tests.storage.suite import (
    DueSuite,
    InboxSuite,
    RecordSuite,
    ReferenceSuite,
    Reopen,
    WholeSuite,
)
from tests.storage.unmatched_suite import UnmatchedSuite


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Open a new store."""
    opened = await open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
async def reopen(url: str, store: Store) -> AsyncIterator[Reopen]:
    """Close the store and open another on the same data."""
    again: list[Store] = []

    async def close_and_open() -> Store:
        await store.close()
        again.append(await open_store(url))
        return again[-1]

    yield close_and_open
    for opened in again:
        await opened.close()


class TestRecords(RecordSuite):
    """Records in SQLite."""


class TestReferences(ReferenceSuite):
    """References in SQLite."""


class TestInbox(InboxSuite):
    """The inbox in SQLite."""


class TestUnmatched(UnmatchedSuite):
    """Unmatched events in SQLite."""


class TestMarks(MarksSuite):
    """Marks in SQLite."""


class TestEvents(EventsSuite):
    """Timelines in SQLite."""


class TestDue(DueSuite):
    """Due sessions in SQLite."""


class TestRetention(RetentionSuite):
    """Old sessions in SQLite."""


class TestListing(ListingSuite):
    """Listings in SQLite."""


class TestWhole(WholeSuite):
    """SQLite as a store."""
