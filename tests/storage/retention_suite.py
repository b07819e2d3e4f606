"""What every store must do with sessions that are old."""

from datetime import timedelta

import pytest

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict
from service.core.ports import Store
from service.core.record import RequestKey
from tests.storage.records import HOUR, NOW, changed, event, record, session_id, unmatched

KEY = RequestKey("shop", "request\0-1")


class RetentionSuite:
    """Old sessions: told in order, and deleted with all that leads to them."""

    async def test_lists_the_oldest_first(self, store: Store) -> None:
        """Sessions made before a time are told, in the order they were made in, page by page."""
        for number, hours in enumerate((3, 1, 2, 1)):
            await store.create(record(number, create_time=NOW + hours * HOUR))
        first = await store.list_old(NOW + 3 * HOUR, None, 2)
        place = (first[-1].session.create_time, first[-1].session.session_id)
        rest = await store.list_old(NOW + 3 * HOUR, place, 2)
        told = [
            record(number, create_time=NOW + hours * HOUR) for number, hours in ((1, 1), (3, 1))
        ]
        assert list(first) == told
        assert list(rest) == [record(2, create_time=NOW + 2 * HOUR)]
        assert await store.list_old(NOW + HOUR, None, 2) == []

    async def test_lists_whole_records(self, store: Store) -> None:
        """A told record is the one that was stored, its key included."""
        await store.create(record(1, KEY))
        assert list(await store.list_old(NOW + HOUR, None, 9)) == [record(1, KEY)]

    async def test_deletes_what_leads_to_a_session(self, store: Store) -> None:
        """A deleted session is found by no id, key or reference, and each of these is free again."""
        await store.create(record(1, KEY))
        kept = changed(record(1, KEY))
        await store.save(kept, expected_version=1, references=("payment:1", "order:1"))
        await store.create(record(2))
        await store.save(changed(record(2)), expected_version=1, references=("payment:2",))
        assert await store.delete_sessions([kept]) == 1
        assert await store.find(session_id(1)) is None
        assert await store.find_by_request(KEY) is None
        assert await store.find_by_reference("dodo", "default", ("payment:1",)) is None
        assert await store.find_by_reference("dodo", "default", ("payment:2",)) is not None
        await store.receive(unmatched(1))
        await store.create(record(3, KEY))
        links = {"references": ("payment:1",), "matched": ("evt_1",)}
        await store.save(changed(record(3, KEY)), expected_version=1, **links)  # type: ignore[arg-type]
        found = await store.find_by_reference("dodo", "default", ("payment:1",))
        assert found == changed(record(3, KEY))

    async def test_deletes_nothing_that_has_changed(self, store: Store) -> None:
        """A session of another version than was read stays, with all that leads to it."""
        await store.create(record(1, KEY))
        await store.save(changed(record(1, KEY)), expected_version=1, references=("payment:1",))
        assert await store.delete_sessions([record(1, KEY), record(2)]) == 0
        assert await store.find_by_request(KEY) == changed(record(1, KEY))
        assert await store.find_by_reference("dodo", "default", ("payment:1",)) is not None
        with pytest.raises(RequestIdTaken):
            await store.create(record(3, KEY))

    async def test_a_save_of_a_deleted_session_conflicts(self, store: Store) -> None:
        """What was decided about a session before it was deleted is not stored, nor is its event."""
        await store.create(record())
        assert await store.delete_sessions([record()]) == 1
        with pytest.raises(StoreConflict):
            await store.save(changed(record()), expected_version=1, event=event())
        await store.receive(event())

    async def test_events_outlive_their_session(self, store: Store) -> None:
        """An event of a deleted session is still known, until its own time has come."""
        await store.create(record())
        await store.save(changed(record()), expected_version=1, event=event())
        assert await store.delete_sessions([changed(record())]) == 1
        with pytest.raises(EventKnown):
            await store.receive(event())
        later = NOW + timedelta(days=1)
        assert await store.purge_events(matched_before=later, unmatched_before=NOW, limit=9) == 1
