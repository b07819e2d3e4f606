"""The PostgreSQL store does what every store must."""

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


class TestSaveEach(SaveEachSuite):
    """Several sessions at once in PostgreSQL."""


class TestRetention(RetentionSuite):
    """Old sessions in PostgreSQL."""


class TestListing(ListingSuite):
    """Listings in PostgreSQL."""


class TestWhole(WholeSuite):
    """PostgreSQL as a store."""
