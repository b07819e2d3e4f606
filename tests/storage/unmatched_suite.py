"""What every store must do with events that no session was found for."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from service.core.errors import EventKnown, StoreConflict
from service.core.inbox import InboxEvent
from service.core.model import State
from service.core.ports import Store
from service.core.unmatched import UnmatchedPayment, UnmatchedQuery
from tests.storage.records import HOUR, NOW, changed, event, facts, record, session_id, unmatched

PAST = timedelta(microseconds=1)


class UnmatchedSuite:
    """Unmatched events: listed until their session is known, and never lost from sight."""

    async def test_lists_what_was_received(self, store: Store) -> None:
        """An unmatched event is listed with its facts, a matched one is not."""
        await store.receive(unmatched(1))
        await store.receive(event(2, session_id=session_id(1)))
        (listed,) = await store.list_unmatched(UnmatchedQuery())
        expected = UnmatchedPayment(
            provider="dodo",
            account="default",
            event_id="evt_1",
            event_type="payment.succeeded",
            received=NOW,
            position=listed.position,
            facts=facts(1),
            reduced=False,
        )
        assert listed == expected

    async def test_lists_the_latest_first(self, store: Store) -> None:
        """The latest received comes first, whatever the account, and the last stored of one instant."""
        for number, (account, hours) in enumerate((("a", 2), ("b", 1), ("a", 3), ("b", 3))):
            await store.receive(unmatched(number, account=account, received=NOW + hours * HOUR))
        assert ids(await store.list_unmatched(UnmatchedQuery())) == [3, 2, 0, 1]

    @pytest.mark.parametrize(
        ("conditions", "numbers"),
        [
            ({}, [3, 2, 1, 0]),
            ({"provider": "square"}, [3, 2]),
            ({"account": "second"}, [3, 1]),
            ({"provider": "dodo", "account": "default"}, [0]),
            ({"provider": "nobody"}, []),
            ({"received_from": NOW + HOUR}, [3, 2, 1]),
            ({"received_to": NOW + HOUR}, [0]),
            ({"received_from": NOW + HOUR, "received_to": NOW + 3 * HOUR}, [2, 1]),
            ({"received_from": NOW + HOUR + PAST, "account": "second"}, [3]),
        ],
        ids=str,
    )
    async def test_conditions(
        self, store: Store, conditions: dict[str, object], numbers: list[int]
    ) -> None:
        """Each condition leaves what fulfils it; a range includes its start and not its end."""
        places = [(p, a) for p in ("dodo", "square") for a in ("default", "second")]
        for number, (provider, account) in enumerate(places):
            at = NOW + number * HOUR
            await store.receive(unmatched(number, provider=provider, account=account, received=at))
        assert ids(await store.list_unmatched(query(**conditions))) == numbers

    @pytest.mark.parametrize("limit", [1, 2, 5])
    async def test_pages_are_stable(self, store: Store, limit: int) -> None:
        """Pages continue below the one before, also within one instant, and new events disturb none."""
        for number in range(9):
            account, at = ("a", "b")[number % 2], NOW + number // 3 * HOUR
            await store.receive(unmatched(number, account=account, received=at))
        seen: list[int] = []
        before = None
        while page := await store.list_unmatched(query(limit=limit, before=before)):
            assert len(page) <= limit
            seen += ids(page)
            before = (page[-1].received, page[-1].position)
            await store.receive(unmatched(90 + len(seen), received=NOW + 9 * HOUR))
        assert seen == [8, 7, 6, 5, 4, 3, 2, 1, 0]

    async def test_pages_within_a_range(self, store: Store) -> None:
        """A page below another keeps to the range that was asked for."""
        for number in range(4):
            await store.receive(unmatched(number, received=NOW + number * HOUR))
        asked = {"received_from": NOW + HOUR, "received_to": NOW + 3 * HOUR, "limit": 1}
        (first,) = await store.list_unmatched(query(**asked))
        below = (first.received, first.position)
        second = await store.list_unmatched(query(**asked, before=below))
        assert [first.event_id, *ids(second)] == ["evt_2", 1]

    async def test_is_known_the_second_time(self, store: Store) -> None:
        """An unmatched event that comes again is known, and listed once."""
        await store.receive(unmatched(1))
        with pytest.raises(EventKnown):
            await store.receive(unmatched(1, received=NOW + HOUR))
        assert ids(await store.list_unmatched(UnmatchedQuery())) == [1]

    async def test_comes_again_with_its_session(self, store: Store) -> None:
        """An event that is delivered again with its session is new, and leaves the list."""
        await store.create(record())
        await store.receive(unmatched(1))
        found = event(1, session_id=session_id(1))
        await store.save(changed(record()), expected_version=1, event=found)
        assert await store.list_unmatched(UnmatchedQuery()) == []
        assert await store.find_waiting("dodo", "default", ("order:1",)) == []
        with pytest.raises(EventKnown):
            await store.receive(found)
        await store.receive(unmatched(2))
        await store.receive(event(2, session_id=session_id(1)))
        assert await store.list_unmatched(UnmatchedQuery()) == []

    async def test_is_found_by_what_it_waits_for(self, store: Store) -> None:
        """Any of its references leads to a waiting event, whole but for its body, and only of its account."""
        await store.receive(unmatched(1))
        await store.receive(unmatched(1, account="second"))
        (found,) = await store.find_waiting("dodo", "default", ("no:1", "order:1", "payment:1"))
        assert same(found, unmatched(1, body=b""))
        assert await store.find_waiting("dodo", "default", ("order:2",)) == []
        assert await store.find_waiting("square", "default", ("order:1",)) == []

    async def test_is_matched_by_a_save(self, store: Store) -> None:
        """A save that links a reference takes along what waited for it: it waits no more and is known."""
        await store.create(record())
        await store.receive(unmatched(1))
        await store.save(
            changed(record()), expected_version=1, references=("order:1",), matched=("evt_1",)
        )
        assert await store.list_unmatched(UnmatchedQuery()) == []
        assert await store.find_waiting("dodo", "default", ("order:1",)) == []
        with pytest.raises(EventKnown):
            await store.receive(unmatched(1))

    async def test_a_save_overlooks_nothing_that_waits(self, store: Store) -> None:
        """A save that links what an event waits for, and does not match it, conflicts and changes nothing."""
        await store.create(record())
        await store.receive(unmatched(1))
        with pytest.raises(StoreConflict):
            await store.save(
                changed(record(), state=State.FAILED), expected_version=1, references=("order:1",)
            )
        assert await store.find(session_id(1)) == record()
        assert await store.find_by_reference("dodo", "default", ("order:1",)) is None
        assert ids(await store.list_unmatched(UnmatchedQuery())) == [1]

    async def test_nothing_waits_for_what_is_known(self, store: Store) -> None:
        """An event one of whose references leads to a session is not stored without that session."""
        await store.create(record())
        await store.save(changed(record()), expected_version=1, references=("payment:1",))
        with pytest.raises(StoreConflict):
            await store.receive(unmatched(1))
        assert await store.list_unmatched(UnmatchedQuery()) == []
        await store.receive(event(1, session_id=session_id(1)))

    async def test_an_event_races_its_link(self, store: Store) -> None:
        """However an event and the link to its session race, one of them learns of the other."""
        for number in range(30):
            await store.create(record(number))
            link = store.save(
                changed(record(number)), expected_version=1, references=(f"order:{number}",)
            )
            pair = (link, store.receive(unmatched(number)))
            answers = await asyncio.gather(*pair[:: 1 - number % 2 * 2], return_exceptions=True)
            assert sorted(map(repr, answers)) == ["None", "StoreConflict()"]

    async def test_is_reduced_when_old(self, store: Store) -> None:
        """After its time an unmatched event has ids and amounts only, waits no more, and stays in its place."""
        for number in range(3):
            await store.receive(unmatched(number, received=NOW + number * HOUR))
        purged = await store.purge_events(
            matched_before=NOW, unmatched_before=NOW + 2 * HOUR, limit=9
        )
        latest, *reduced = await store.list_unmatched(UnmatchedQuery())
        assert purged == 2
        assert (latest.reduced, latest.facts) == (False, facts(2))
        assert [(one.event_id, one.event_type, one.reduced) for one in reduced] == [
            ("evt_1", "", True),
            ("evt_0", "", True),
        ]
        assert reduced[0].facts == msgspec.structs.replace(facts(1), payment_time=None)
        assert await store.find_waiting("dodo", "default", ("order:0", "order:1")) == []
        with pytest.raises(EventKnown):
            await store.receive(unmatched(0))
        assert await store.purge_events(matched_before=NOW, unmatched_before=NOW, limit=9) == 0

    async def test_reduced_one_comes_again_with_its_session(self, store: Store) -> None:
        """A reduced event still gives way to the same event with its session."""
        await store.create(record())
        await store.receive(unmatched(1))
        later = NOW + HOUR
        await store.purge_events(matched_before=later, unmatched_before=later, limit=9)
        await store.receive(event(1, session_id=session_id(1)))
        assert await store.list_unmatched(UnmatchedQuery()) == []


def query(**conditions: object) -> UnmatchedQuery:
    """Build a query."""
    return msgspec.structs.replace(UnmatchedQuery(), **conditions)


def same(one: InboxEvent, other: InboxEvent) -> bool:
    """Tell whether two events say the same; lists may have been tuples."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


def ids(payments: Sequence[UnmatchedPayment]) -> list[int]:
    """Return the numbers in the ids of events."""
    return [int(payment.event_id.removeprefix("evt_")) for payment in payments]
