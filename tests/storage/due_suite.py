"""What every store must do for sessions whose time has come, and with several of them at once."""

import asyncio
from datetime import timedelta

import pytest

from service.core.due import Change, Claimed
from service.core.events import Fact
from service.core.model import PaymentStatus, State
from service.core.ports import Store
from service.core.record import Record, RequestKey
from tests.storage.events_suite import call, change, newest, numbered, timeline, told
from tests.storage.records import HOUR, NOW, changed, record, session_id, whole_record

MANY = 30


class DueSuite:
    """Due sessions: what the passing of time alone ends."""

    async def test_lists_what_is_due(self, store: Store) -> None:
        """Sessions are due at their end, when their lease is over, or to be closed, oldest first."""
        due: dict[int, dict[str, object]] = {
            1: {"expire_time": NOW - HOUR},
            2: {"expire_time": NOW - 2 * HOUR, "state": State.CREATING},
            3: {"expire_time": NOW},
            4: {"expire_time": NOW - 3 * HOUR, "payment_status": PaymentStatus.PARTIALLY_PAID},
            5: {"closing_time": NOW - 4 * HOUR, "state": State.EXPIRED},
            6: {"expire_time": NOW + HOUR, "state": State.CREATING},
        }
        for number, changes in due.items():
            await store.create(record(number, **changes))
        ids = [session_id(number) for number in (5, 4, 2, 1, 3, 6)]
        assert await claimed(store, 2) == ids[:2]
        assert await claimed(store, 10) == ids

    @pytest.mark.parametrize(
        "changes",
        [
            {"expire_time": NOW + timedelta(microseconds=1)},
            {"payment_status": PaymentStatus.PROCESSING},
            *({"state": state} for state in State if state not in {State.OPEN, State.CREATING}),
        ],
        ids=str,
    )
    async def test_leaves_out_the_rest(self, store: Store, changes: dict[str, object]) -> None:
        """What ended, is being paid or has time left is not due."""
        await store.create(record(**{"expire_time": NOW - HOUR, **changes}))
        assert await claimed(store) == []

    async def test_a_save_decides_anew(self, store: Store) -> None:
        """A session stops and starts to be due as it changes."""
        first = record(expire_time=NOW)
        await store.create(first)
        second = changed(first, payment_status=PaymentStatus.PROCESSING)
        await store.save(second, expected_version=1)
        assert await claimed(store) == []
        third = changed(second, payment_status=PaymentStatus.UNPAID)
        await store.save(third, expected_version=2)
        assert await claimed(store) == [session_id(1)]


class SaveEachSuite:
    """Several sessions saved at once: each as if by itself."""

    async def test_saves_every_one(self, store: Store) -> None:
        """Whatever a record holds is replaced, and keys go on leading to it."""
        key = RequestKey("shop", "request-2")
        olds = [record(1, key), record(2, metadata={"a": "1"}), whole_record("personal")]
        for old in olds:
            await store.create(old)
        news = [
            changed(olds[0], state=State.EXPIRED, metadata={"\0 {": '"\\', "b": ""}),
            changed(olds[1], metadata={}, reference_id="\0", expire_time=NOW),
            changed(olds[2], customer=None, provider_details={"a": [1, None]}),
        ]
        assert await store.save_each([made_of(old, new) for old, new in both(olds, news)]) == []
        for new in news:
            assert await store.find(new.session.session_id) == new
        assert await store.find_by_request(key) == news[0]
        assert await claimed(store) == [session_id(2), session_id(7)]

    async def test_leaves_out_what_is_stale(self, store: Store) -> None:
        """What has another version, or is not there, is named and untouched, while the others are saved."""
        start = await newest(store)
        for number in (1, 2, 3):
            await store.create(record(number))
        newer = changed(record(2), state=State.COMPLETED)
        await store.save(newer, expected_version=1)
        opened = change("session.opened")
        changes = [made_of(record(n), changed(record(n)), opened) for n in (4, 3, 2, 1)]
        assert sorted(await store.save_each(changes)) == [session_id(2), session_id(4)]
        found = [await store.find(session_id(number)) for number in (1, 2, 3, 4)]
        assert found == [changed(record(1)), newer, changed(record(3)), None]
        assert [len(await timeline(store, number)) for number in (1, 2, 3, 4)] == [1, 0, 1, 0]
        assert {one.session_id for one in await numbered(store, start)} == {
            session_id(1),
            session_id(3),
        }

    async def test_saves_nothing(self, store: Store) -> None:
        """No changes are no work, and may all be stale."""
        assert await store.save_each([]) == []
        assert await store.save_each([made_of(record(1), changed(record(1)))]) == [session_id(1)]

    async def test_tells_what_a_save_tells(self, store: Store) -> None:
        """Timelines and numbered changes are those that saves one by one would have left."""
        start = await newest(store)
        facts: list[tuple[Fact, ...]] = [
            (),
            (change(),),
            (change("session.opened"),),
            (call(), change("session.opened", "payment.paid")),
        ]
        for number in range(2 * len(facts)):
            await store.create(record(number))
        for number, some in enumerate(facts):
            await store.save(changed(record(number)), expected_version=1, facts=some)
        later = len(facts)
        await store.save_each(
            [
                made_of(record(later + number), changed(record(later + number)), *some)
                for number, some in enumerate(facts)
            ]
        )
        for number, some in enumerate(facts):
            one, other = await timeline(store, number), await timeline(store, later + number)
            assert [(entry.version, entry.fact) for entry in one] == [(2, fact) for fact in some]
            assert [(entry.version, entry.fact) for entry in other] == [(2, fact) for fact in some]
        changes = told(await numbered(store, start))
        alone = [(version, types) for one, version, types in changes if one < session_id(later)]
        assert alone == [(version, types) for one, version, types in changes[len(alone) :]]
        assert len(changes) == 2 * len(alone) == 4

    async def test_overlapping_sets_change_each_once(self, store: Store) -> None:
        """Callers that save the same sessions in other orders all come to an end, and one saves each."""
        olds = [record(number) for number in range(MANY)]
        for old in olds:
            await store.create(old)
        orders = [olds, olds[::-1], olds[MANY // 2 :] + olds[: MANY // 2], olds[::3]] * 2
        marked = [
            [
                made_of(old, changed(old, metadata={"by": str(caller)}), change("session.opened"))
                for old in order
            ]
            for caller, order in enumerate(orders)
        ]
        stale = await asyncio.gather(*(store.save_each(changes) for changes in marked))
        saved = [
            one.record
            for changes, left in zip(marked, stale, strict=True)
            for one in changes
            if one.record.session.session_id not in left
        ]
        assert len(saved) == MANY
        for new in saved:
            assert await store.find(new.session.session_id) == new
        assert [len(await timeline(store, number)) for number in range(MANY)] == [1] * MANY

    async def test_may_be_repeated(self, store: Store) -> None:
        """Whoever does not know whether it was saved asks again, and changes nothing more."""
        await store.create(record(1))
        again = [made_of(record(1), changed(record(1)), change("session.opened"))]
        assert await store.save_each(again) == []
        assert await store.save_each(again) == [session_id(1)]
        assert await store.find(session_id(1)) == changed(record(1))
        assert len(await timeline(store, 1)) == 1

    async def test_ends_a_claim(self, store: Store) -> None:
        """What was claimed and saved can be claimed again as soon as it is due again."""
        await store.create(record(1, expire_time=NOW))
        (old,) = (await store.claim_due(NOW, NOW + HOUR, 1)).records
        new = changed(old, reference_id="again")
        assert await store.save_each([made_of(old, new)]) == []
        assert await store.claim_due(NOW, NOW + HOUR, 1) == Claimed(records=[new])


def made_of(old: Record, new: Record, *facts: Fact) -> Change:
    """Build the change of a record into another."""
    return Change(record=new, expected_version=old.session.version, facts=facts)


def both(olds: list[Record], news: list[Record]) -> list[tuple[Record, Record]]:
    """Return records with what they become."""
    return list(zip(olds, news, strict=True))


async def claimed(store: Store, limit: int = 10) -> list[str]:
    """Return the ids of what is due, claimed for no time at all."""
    return [one.session.session_id for one in (await store.claim_due(NOW, NOW, limit)).records]
