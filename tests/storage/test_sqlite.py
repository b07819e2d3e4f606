"""The SQLite store does what every store must."""

from tests.storage.due_suite import DueSuite, SaveEachSuite
from tests.storage.events_suite import EventsSuite
from tests.storage.listing_suite import ListingSuite
from tests.storage.marks_suite import MarksSuite
from tests.storage.retention_suite import RetentionSuite
from tests.storage.suite import (
    InboxSuite,
    RecordSuite,
    ReferenceSuite,
    WholeSuite,
)
from tests.storage.unmatched_suite import UnmatchedSuite


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


class TestSaveEach(SaveEachSuite):
    """Several sessions at once in SQLite."""


class TestRetention(RetentionSuite):
    """Old sessions in SQLite."""


class TestListing(ListingSuite):
    """Listings in SQLite."""


class TestWhole(WholeSuite):
    """SQLite as a store."""
