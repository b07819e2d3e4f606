"""The PostgreSQL store does what every store must."""

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
    """Records in PostgreSQL."""


class TestReferences(ReferenceSuite):
    """References in PostgreSQL."""


class TestInbox(InboxSuite):
    """The inbox in PostgreSQL."""


class TestUnmatched(UnmatchedSuite):
    """Unmatched events in PostgreSQL."""


class TestMarks(MarksSuite):
    """Marks in PostgreSQL."""


class TestEvents(EventsSuite):
    """Timelines in PostgreSQL."""


class TestDue(DueSuite):
    """Due sessions in PostgreSQL."""


class TestRetention(RetentionSuite):
    """Old sessions in PostgreSQL."""


class TestListing(ListingSuite):
    """Listings in PostgreSQL."""


class TestWhole(WholeSuite):
    """PostgreSQL as a store."""
