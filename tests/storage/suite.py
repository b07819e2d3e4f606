"""What every store must do; an engine's tests subclass this and bring the fixtures."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict, StoreUnavailable
from service.core.model import PaymentStatus, State
from service.core.ports import Store
from service.core.record import Record, RequestKey
from tests.storage import records
from tests.storage.records import HOUR, NOW, changed, event, record, session_id, unmatched

Reopen = Callable[[], Awaitable[Store]]

KEY = RequestKey("shop", "request-1")
ANY = settings(
    max_examples=40,
    deadline=None,
    # Every example writes a session of its own into the one store, and every engine runs each test.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
    ],
)


class RecordSuite:
    """Records: what is written is what is read, once, and whole."""

    async def test_finds_what_was_created(self, store: Store) -> None:
        """A created record is found by its id."""
        await store.create(record())
        assert await store.find(session_id(1)) == record()

    async def test_finds_several_at_once(self, store: Store) -> None:
        """Sessions are read together, each once, with what is personal of them; unknown ids lead to nothing."""
        whole = records.whole_record("personal")
        await store.create(whole)
        await store.create(record(2))
        ids = [whole.session.session_id, session_id(2), session_id(2), session_id(9)]
        found = {one.session_id: one for one in await store.find_sessions(ids)}
        assert found == {ids[0]: whole.session, ids[1]: record(2).session}
        assert len(await store.find_sessions(ids)) == 2
        assert list(await store.find_sessions([])) == []

    async def test_finds_nothing_unknown(self, store: Store) -> None:
        """An unknown id, key or reference leads to nothing."""
        await store.create(record(1, KEY))
        assert await store.find(session_id(2)) is None
        assert await store.find_by_request(RequestKey("shop", "request-2")) is None
        assert await store.find_by_request(RequestKey("other", "request-1")) is None
        assert await store.find_by_reference("dodo", "default", ("session:1",)) is None

    async def test_keeps_every_field(self, store: Store) -> None:
        """A record with every field set comes back the same."""
        whole = records.whole_record("personal")
        unset = [
            name
            for part in (whole, whole.session, whole.attempt)
            for name, default in default_values(part).items()
            if getattr(part, name) == default
        ]
        assert unset == []
        await store.create(whole)
        assert await store.find(whole.session.session_id) == whole

    @ANY
    @given(drawn=records.RECORDS)
    async def test_keeps_any_record(
        self, store: Store, numbers: Iterator[int], drawn: Record
    ) -> None:
        """Whatever a record holds, it comes back the same."""
        number = next(numbers)
        key = drawn.key and RequestKey(drawn.key.caller, f"{number} {drawn.key.request_id}")
        session = msgspec.structs.replace(drawn.session, session_id=session_id(number))
        kept = msgspec.structs.replace(drawn, session=session, key=key)
        await store.create(kept)
        assert await store.find(session_id(number)) == kept

    async def test_finds_by_request_key(self, store: Store) -> None:
        """A request key leads to the record as it is now."""
        first = record(1, KEY)
        await store.create(first)
        assert await store.find_by_request(KEY) == first
        second = changed(first, state=State.FAILED)
        await store.save(second, expected_version=1)
        assert await store.find_by_request(KEY) == second

    async def test_request_key_is_taken_once(self, store: Store) -> None:
        """A second record with the same key is refused and leaves nothing."""
        await store.create(record(1, KEY))
        with pytest.raises(RequestIdTaken):
            await store.create(record(2, KEY))
        assert await store.find(session_id(2)) is None
        assert await store.find_by_request(KEY) == record(1, KEY)

    async def test_same_request_id_of_another_caller_is_free(self, store: Store) -> None:
        """Request ids belong to their callers."""
        await store.create(record(1, KEY))
        await store.create(record(2, RequestKey("other", KEY.request_id)))
        assert await store.find(session_id(2)) is not None

    async def test_one_of_many_at_once_takes_the_key(self, store: Store) -> None:
        """Of creations with one key that race, exactly one wins, and it alone is stored."""
        racers = [store.create(record(number, KEY)) for number in range(20)]
        answers = await asyncio.gather(*racers, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, RequestIdTaken)]
        found = [await store.find(session_id(number)) for number in range(20)]
        assert answers.count(None) == 1
        assert len(refused) == 19
        assert [one for one in found if one] == [record(answers.index(None), KEY)]

    async def test_no_second_record_of_an_id(self, store: Store) -> None:
        """An id that exists is never written over by a creation."""
        await store.create(record(1))
        with pytest.raises(StoreUnavailable):
            await store.create(record(1, KEY, state=State.FAILED))
        assert await store.find(session_id(1)) == record(1)
        assert await store.find_by_request(KEY) is None

    async def test_saves_the_expected_version(self, store: Store) -> None:
        """A save replaces session and attempt."""
        first = record(1, KEY)
        await store.create(first)
        attempt = msgspec.structs.replace(first.attempt, number=2)
        second = msgspec.structs.replace(
            changed(first, state=State.COMPLETED, payment_status=PaymentStatus.PAID),
            attempt=attempt,
        )
        await store.save(second, expected_version=1)
        assert await store.find(session_id(1)) == second

    async def test_save_of_another_version_changes_nothing(self, store: Store) -> None:
        """A save that expects another version stores neither record, reference nor event."""
        await store.create(record())
        stale = changed(record(), state=State.FAILED)
        with pytest.raises(StoreConflict):
            await store.save(stale, expected_version=2, references=("payment:1",), event=event())
        assert await store.find(session_id(1)) == record()
        assert await store.find_by_reference("dodo", "default", ("payment:1",)) is None
        await store.receive(event())

    async def test_save_of_an_unknown_session_conflicts(self, store: Store) -> None:
        """A save creates nothing."""
        with pytest.raises(StoreConflict):
            await store.save(record(), expected_version=1)
        assert await store.find(session_id(1)) is None

    async def test_one_of_many_saves_wins(self, store: Store) -> None:
        """Of saves that race from one version, exactly one is stored."""
        await store.create(record())
        versions = [changed(record(), reference_id="", metadata={"n": str(n)}) for n in range(20)]
        racers = [store.save(version, expected_version=1) for version in versions]
        answers = await asyncio.gather(*racers, return_exceptions=True)
        assert answers.count(None) == 1
        assert sum(isinstance(answer, StoreConflict) for answer in answers) == 19
        assert await store.find(session_id(1)) == versions[answers.index(None)]

    async def test_survives_reopening(self, store: Store, reopen: Reopen) -> None:
        """Records, keys, references, events and the secret outlive the process's hold on them."""
        await store.create(record(1, KEY))
        second = changed(record(1, KEY), state=State.EXPIRED)
        await store.save(second, expected_version=1, references=("payment:1",), event=event())
        secret = await store.secret()
        again = await reopen()
        assert await again.find_by_request(KEY) == second
        assert await again.find_by_reference("dodo", "default", ("payment:1",)) == second
        assert await again.secret() == secret
        with pytest.raises(EventKnown):
            await again.receive(event())


class ReferenceSuite:
    """References: the providers' ids that lead to sessions."""

    async def test_leads_to_the_session(self, store: Store) -> None:
        """A linked reference leads to the record as it is now."""
        await store.create(record())
        second = changed(record())
        await store.save(second, expected_version=1, references=("session:a", "payment:b"))
        assert await store.find_by_reference("dodo", "default", ("payment:b",)) == second
        third = changed(second, state=State.COMPLETED)
        await store.save(third, expected_version=2, references=("session:a",))
        assert await store.find_by_reference("dodo", "default", ("session:a",)) == third

    async def test_first_known_reference_leads(self, store: Store) -> None:
        """The first of several references that is known decides."""
        for number in (1, 2):
            await store.create(record(number))
            links = (f"payment:{number}",)
            await store.save(changed(record(number)), expected_version=1, references=links)
        order = ("session:none", "payment:2", "payment:1")
        found = await store.find_by_reference("dodo", "default", order)
        assert found == changed(record(2))

    async def test_reference_keeps_leading_where_it_led(self, store: Store) -> None:
        """A reference of one session is not taken over by another, and the save still counts."""
        for number in (1, 2):
            await store.create(record(number))
            links = ("payment:1", f"session:{number}")
            await store.save(changed(record(number)), expected_version=1, references=links)
        assert await store.find_by_reference("dodo", "default", ("payment:1",)) == changed(record())
        found = await store.find_by_reference("dodo", "default", ("session:2",))
        assert found == changed(record(2))

    async def test_references_belong_to_accounts(self, store: Store) -> None:
        """The same reference may exist at every provider and account."""
        places = (("dodo", "default"), ("dodo", "second"), ("square", "default"))
        for number, (provider, account) in enumerate(places):
            one = record(number, provider=provider, account=account)
            await store.create(one)
            await store.save(changed(one), expected_version=1, references=("payment:1",))
        for number, place in enumerate(places):
            found = await store.find_by_reference(*place, ("payment:1",))
            assert found is not None
            assert found.session.session_id == session_id(number)


class InboxSuite:
    """The inbox: every event once."""

    async def test_event_is_known_the_second_time(self, store: Store) -> None:
        """An event that was received is not received again."""
        await store.receive(event())
        with pytest.raises(EventKnown):
            await store.receive(event(body=b"other"))

    async def test_events_belong_to_accounts(self, store: Store) -> None:
        """The same event id may come from every provider and account."""
        await store.receive(event())
        await store.receive(event(account="second"))
        await store.receive(event(provider="square"))

    async def test_event_and_record_are_one(self, store: Store) -> None:
        """A known event keeps a save from happening."""
        await store.create(record())
        await store.save(changed(record()), expected_version=1, event=event())
        again = changed(changed(record()), state=State.COMPLETED)
        with pytest.raises(EventKnown):
            await store.save(again, expected_version=2, event=event(), references=("payment:1",))
        assert await store.find(session_id(1)) == changed(record())
        assert await store.find_by_reference("dodo", "default", ("payment:1",)) is None

    async def test_event_is_received_once_by_many(self, store: Store) -> None:
        """Of deliveries of one event that race, exactly one is stored."""
        racers = [store.receive(event()) for _ in range(20)]
        answers = await asyncio.gather(*racers, return_exceptions=True)
        assert answers.count(None) == 1
        assert sum(isinstance(answer, EventKnown) for answer in answers) == 19

    async def test_purges_by_age(self, store: Store) -> None:
        """Events of sessions go when they are old enough, and not before; they may be received anew."""
        for age in range(4):
            received = NOW - timedelta(days=age)
            await store.receive(event(age, received=received))
        limits = {"matched_before": NOW - 48 * HOUR, "unmatched_before": NOW}
        assert await store.purge_events(**limits, limit=100) == 1
        assert await store.purge_events(**limits, limit=100) == 0
        for age in range(3):
            with pytest.raises(EventKnown):
                await store.receive(event(age))
        await store.receive(event(3))

    async def test_purges_in_portions(self, store: Store) -> None:
        """No more events are deleted or reduced at once than asked for."""
        for number in range(5):
            await store.receive(event(number) if number % 2 else unmatched(number))
        later = NOW + HOUR
        purged = [
            await store.purge_events(matched_before=later, unmatched_before=later, limit=2)
            for _ in range(4)
        ]
        assert purged == [2, 2, 1, 0]


class WholeSuite:
    """The store itself."""

    async def test_secret_is_long_and_stays(self, store: Store) -> None:
        """The secret is a key of 32 bytes, the same each time."""
        secret = await store.secret()
        assert len(secret) == 32
        assert await store.secret() == secret

    async def test_answers_a_ping(self, store: Store) -> None:
        """A store that works says so."""
        await store.ping()

    async def test_finishes_accepted_writes_when_closed(self, store: Store, reopen: Reopen) -> None:
        """Writes that were accepted before a close are stored."""
        writes = [asyncio.ensure_future(store.create(record(n))) for n in range(50)]
        await asyncio.sleep(0)
        again = await reopen()
        assert await asyncio.gather(*writes) == [None] * 50
        assert await again.find(session_id(49)) is not None

    async def test_refuses_work_when_closed(self, store: Store) -> None:
        """A closed store says that it is unavailable, and closes again without harm."""
        await store.close()
        for call in (
            store.ping(),
            store.find(session_id(1)),
            store.create(record()),
            store.claim_due(NOW, NOW, 1),
        ):
            with pytest.raises(StoreUnavailable):
                await call
        await store.close()


def default_values(value: msgspec.Struct) -> dict[str, object]:
    """Return the default of every field of a struct that has one."""
    return {
        field.name: field.default if field.default_factory is msgspec.NODEFAULT else {}
        for field in msgspec.structs.fields(value)
        if not field.required
    }
