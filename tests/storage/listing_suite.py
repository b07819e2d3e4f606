"""What every store's listing must do."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import PaymentStatus, Session, State
from service.core.ports import SessionQuery, Store
from tests.storage import records
from tests.storage.records import HOUR, NOW, changed, query, record, session_id
from tests.storage.suite import ANY


class ListingSuite:
    """Listings: the sessions of which all conditions hold, newest first."""

    async def test_lists_newest_first(self, store: Store) -> None:
        """Without conditions every session is listed, whole, the newest first."""
        for number in (2, 3, 1):
            await store.create(record(number, account=f"a{number}"))
        whole = records.whole_record("personal")
        await store.create(whole)
        listed = await store.list_sessions(query())
        assert [session_id(number) for number in (7, 3, 2, 1)] == ids(listed)
        assert listed[0] == whole.session

    async def test_nothing_in_an_empty_store(self, store: Store) -> None:
        """An empty store lists nothing, whatever is asked."""
        assert await store.list_sessions(query()) == []
        assert await store.list_sessions(query(create_time_from=NOW, reference_id="r")) == []

    @pytest.mark.parametrize(
        "condition",
        [
            {"provider": "square"},
            {"account": "second"},
            {"live": True},
            {"live": False, "provider": "square"},
            {"reference_id": "order-1"},
            {"reference_id": "order-1", "provider": "square"},
            {"reference_id": "order-1", "live": True, "account": "second"},
            {"payment_statuses": frozenset({PaymentStatus.PAID, PaymentStatus.UNPAID})},
            {"states": frozenset({State.COMPLETED})},
            {
                "reference_id": "order-1",
                "states": frozenset({State.COMPLETED, State.FAILED}),
                "payment_statuses": frozenset({PaymentStatus.PAID}),
            },
        ],
        ids="-".join,
    )
    async def test_conditions(self, store: Store, condition: dict[str, object]) -> None:
        """Each condition leaves what fulfils it, alone and with others."""
        await fill(store)
        listed = await store.list_sessions(query(**condition, limit=1000))
        everything = await store.list_sessions(query(limit=1000))
        expected = [one for one in everything if fulfils(one, query(**condition))]
        assert 0 < len(listed) < len(everything)
        assert ids(listed) == ids(expected)

    async def test_overdue_sessions_count_as_expired(self, store: Store) -> None:
        """An open session whose time has run out is listed as expired and not as open."""
        await store.create(record(1, expire_time=NOW))
        await store.create(record(2, expire_time=NOW + HOUR))
        await store.create(record(3, state=State.EXPIRED))
        await store.create(record(4, expire_time=NOW, payment_status=PaymentStatus.PROCESSING))
        await store.create(record(5, expire_time=NOW, state=State.CREATING))
        for states, numbers in (
            ({State.OPEN}, (4, 2)),
            ({State.EXPIRED}, (3, 1)),
            ({State.CREATING}, (5,)),
            ({State.OPEN, State.EXPIRED}, (4, 3, 2, 1)),
            ({State.COMPLETED}, ()),
        ):
            listed = await store.list_sessions(query(states=frozenset(states)))
            assert ids(listed) == [session_id(number) for number in numbers]

    async def test_overdue_sessions_of_a_reference(self, store: Store) -> None:
        """What time has done counts in a listing by reference too."""
        await store.create(record(1, expire_time=NOW, reference_id="r"))
        await store.create(record(2, expire_time=NOW + HOUR, reference_id="r"))
        expired = query(reference_id="r", states=frozenset({State.EXPIRED}))
        assert ids(await store.list_sessions(expired)) == [session_id(1)]
        opened = query(reference_id="r", states=frozenset({State.OPEN}))
        assert ids(await store.list_sessions(opened)) == [session_id(2)]

    async def test_time_range_includes_its_start_and_not_its_end(self, store: Store) -> None:
        """Sessions created at the start of a range belong to it, those at its end do not."""
        for number in range(5):
            await store.create(record(number, create_time=NOW + number * HOUR))
        middle = query(create_time_from=NOW + HOUR, create_time_to=NOW + 3 * HOUR)
        assert ids(await store.list_sessions(middle)) == [session_id(2), session_id(1)]
        early = query(create_time_to=NOW + HOUR)
        assert ids(await store.list_sessions(early)) == [session_id(0)]
        late = query(create_time_from=NOW + 3 * HOUR + timedelta(microseconds=1))
        assert ids(await store.list_sessions(late)) == [session_id(4)]

    async def test_time_range_does_not_trust_ids(self, store: Store) -> None:
        """A range holds what its times say, even where a clock went back between ids."""
        for number, hours in enumerate((5, 1, 4, 2, 3)):
            await store.create(record(number, create_time=NOW + hours * HOUR))
        asked = query(create_time_from=NOW + 2 * HOUR, create_time_to=NOW + 5 * HOUR)
        assert ids(await store.list_sessions(asked)) == [session_id(n) for n in (4, 3, 2)]

    async def test_metadata_pairs_must_all_be_held(self, store: Store) -> None:
        """Metadata matches by whole keys and values, all of those asked."""
        held: tuple[dict[str, str], ...] = (
            {"a": "1", "b": "2"},
            {"a": "1"},
            {"a": "2", "1": "a"},
            {},
        )
        for number, metadata in enumerate(held):
            await store.create(record(number, metadata=metadata))
        for asked, numbers in (
            ({"a": "1"}, (1, 0)),
            ({"a": "1", "b": "2"}, (0,)),
            ({"c": "1"}, ()),
        ):
            listed = await store.list_sessions(
                query(metadata=asked, create_time_from=NOW, create_time_to=NOW + HOUR)
            )
            assert ids(listed) == [session_id(number) for number in numbers]

    @ANY
    @given(metadata=st.dictionaries(records.TEXTS, records.TEXTS, min_size=1, max_size=2))
    async def test_any_metadata_is_found(
        self, store: Store, numbers: Iterator[int], metadata: dict[str, str]
    ) -> None:
        """Quotes, dots, escapes and scripts in keys and values are nothing special."""
        number = next(numbers)
        await store.create(record(number, metadata=metadata))
        listed = await store.list_sessions(query(metadata=metadata, limit=1))
        assert ids(listed) == [session_id(number)]

    @pytest.mark.parametrize("limit", [1, 3, 50])
    async def test_pages_make_up_the_listing(self, store: Store, limit: int) -> None:
        """Pages continue below the last id of the one before, and miss and repeat nothing."""
        await fill(store)
        for conditions in ({}, {"provider": "dodo"}, {"reference_id": "order-1"}):
            listed = ids(await store.list_sessions(query(**conditions, limit=1000)))
            paged: list[str] = []
            while page := await store.list_sessions(
                query(**conditions, limit=limit, before=paged[-1] if paged else "")
            ):
                assert len(page) <= limit
                paged += ids(page)
            assert paged == listed

    async def test_pages_are_stable_under_inserts(self, store: Store) -> None:
        """Sessions created while somebody pages do not move what is still to come."""
        for number in range(6):
            await store.create(record(number))
        first = await store.list_sessions(query(limit=3))
        await store.create(record(9, account="new"))
        await store.save(changed(record(1), state=State.COMPLETED), expected_version=1)
        second = await store.list_sessions(query(limit=3, before=first[-1].session_id))
        assert ids(first) + ids(second) == [session_id(n) for n in (5, 4, 3, 2, 1, 0)]


async def fill(store: Store) -> None:
    """Store a session for each combination of what can be asked."""
    number = 0
    for provider in ("dodo", "square"):
        for account in ("default", "second"):
            for live in (False, True):
                for state, status in (
                    (State.OPEN, PaymentStatus.UNPAID),
                    (State.COMPLETED, PaymentStatus.PAID),
                    (State.EXPIRED, PaymentStatus.PAID),
                    (State.EXPIRED, PaymentStatus.PROCESSING),
                ):
                    number += 1
                    changes = {
                        "provider": provider,
                        "account": account,
                        "live": live,
                        "state": state,
                        "payment_status": status,
                        "reference_id": ("", "order-1", "order-2")[number % 3],
                    }
                    await store.create(record(number, **changes))


def fulfils(session: Session, asked: SessionQuery) -> bool:
    """Tell whether a session that is not overdue fulfils a query's plain conditions."""
    return (
        asked.provider in {"", session.provider}
        and asked.account in {"", session.account}
        and asked.live in {None, session.live}
        and asked.reference_id in {"", session.reference_id}
        and (not asked.states or session.state in asked.states)
        and (not asked.payment_statuses or session.payment_status in asked.payment_statuses)
    )


def ids(sessions: Sequence[Session]) -> list[str]:
    """Return the ids of sessions in their order."""
    return [session.session_id for session in sessions]
