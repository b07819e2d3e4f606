"""Each store against a model of it, over any sequence of calls."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec import structs

from service.core.errors import EventKnown, RequestIdTaken, StoreConflict
from service.core.model import PaymentStatus, State
from service.core.record import Record, RequestKey
from service.core.unmatched import UnmatchedQuery
from service.storage.registry import open_store
from tests.storage.records import (
    NOW,
    changed,
    event,
    facts,
    query,
    record,
    session_id,
    unmatched,
)

Call = Callable[[], Coroutine[None, None, None]]

NUMBERS = st.integers(1, 4)
STATES = st.sampled_from(State)
STATUSES = st.sampled_from(PaymentStatus)
REFERENCE = st.sampled_from(("payment:1", "payment:2"))


class StoreMachine(RuleBasedStateMachine):
    """Calls in any order, each checked against plain dictionaries."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._url = url
        self._store = self._runner.run(open_store(self._url))
        self._records: dict[str, Record] = {}
        self._keys: dict[RequestKey, str] = {}
        self._references: dict[str, str] = {}
        self._events: set[str] = set()
        self._waiting: dict[str, str] = {}

    @rule(number=NUMBERS, key=st.sampled_from((None, "a", "b")), state=STATES)
    def create(self, number: int, key: str | None, state: State) -> None:
        """Create a record that may take a key."""
        identity = session_id(number)
        if identity in self._records:
            return
        taken = RequestKey("shop", key) if key else None
        made = record(number, taken, state=state)
        if taken in self._keys:
            self._raises(RequestIdTaken, partial(self._store.create, made))
            return
        self._runner.run(self._store.create(made))
        self._records[identity] = made
        if taken:
            self._keys[taken] = identity

    @rule(
        number=NUMBERS,
        state=STATES,
        status=STATUSES,
        stale=st.booleans(),
        reference=REFERENCE,
        news=st.none() | NUMBERS,
    )
    def save(
        self,
        *,
        number: int,
        state: State,
        status: PaymentStatus,
        stale: bool,
        reference: str,
        news: int | None,
    ) -> None:
        """Save a next version, with a reference and perhaps an event."""
        old = self._records.get(session_id(number), record(number))
        new = changed(old, state=state, payment_status=status)
        call = partial(
            self._store.save,
            new,
            expected_version=old.session.version + stale,
            references=(reference,),
            event=event(news) if news else None,
            matched=[name for name, awaited in self._waiting.items() if awaited == reference],
        )
        if news and event(news).event_id in self._events - self._waiting.keys():
            self._raises(EventKnown, call)
        elif stale or session_id(number) not in self._records:
            self._raises(StoreConflict, call)
        else:
            self._runner.run(call())
            self._records[session_id(number)] = new
            self._references.setdefault(reference, session_id(number))
            self._events.update({event(news).event_id} if news else ())
            self._waiting = {
                name: awaited
                for name, awaited in self._waiting.items()
                if awaited != reference and not (news and name == event(news).event_id)
            }

    @rule(number=NUMBERS)
    def receive(self, number: int) -> None:
        """Receive an event that may be known."""
        name = event(number).event_id
        if name in self._events - self._waiting.keys():
            self._raises(EventKnown, partial(self._store.receive, event(number)))
        else:
            self._runner.run(self._store.receive(event(number)))
            self._events.add(name)
            self._waiting.pop(name, None)

    @rule(number=NUMBERS, awaited=REFERENCE)
    def receive_without_session(self, number: int, awaited: str) -> None:
        """Receive an event that waits for a reference, which may be known."""
        told = structs.replace(facts(number), references=(awaited,))
        call = partial(self._store.receive, unmatched(number, facts=told))
        name = event(number).event_id
        if name in self._events:
            self._raises(EventKnown, call)
        elif awaited in self._references:
            self._raises(StoreConflict, call)
        else:
            self._runner.run(call())
            self._events.add(name)
            self._waiting[name] = awaited

    @rule()
    def reopen(self) -> None:
        """Close the store and open it again."""
        self._runner.run(self._store.close())
        self._store = self._runner.run(open_store(self._url))

    @rule(states=st.frozensets(STATES), statuses=st.frozensets(STATUSES))
    def list_sessions(self, states: frozenset[State], statuses: frozenset[PaymentStatus]) -> None:
        """List by any states."""
        asked = query(now=NOW, states=states, payment_statuses=statuses)
        expected = [
            kept.session
            for _, kept in sorted(self._records.items(), reverse=True)
            if (not states or kept.session.state in states)
            and (not statuses or kept.session.payment_status in statuses)
        ]
        assert self._runner.run(self._store.list_sessions(asked)) == expected

    @invariant()
    def finds_everything(self) -> None:
        """What the model has, the store has, by id, key and reference."""
        self._runner.run(self._find_everything())

    async def _find_everything(self) -> None:
        for identity, kept in self._records.items():
            assert await self._store.find(identity) == kept
        for key, identity in self._keys.items():
            assert await self._store.find_by_request(key) == self._records[identity]
        for reference, identity in self._references.items():
            found = await self._store.find_by_reference("dodo", "default", (reference,))
            assert found == self._records[identity]
        listed = await self._store.list_unmatched(UnmatchedQuery())
        assert {one.event_id: one.facts.references[0] for one in listed} == self._waiting

    def _raises(self, kind: type[Exception], call: Call) -> None:
        with pytest.raises(kind):
            self._runner.run(call())

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._runner.run(self._store.close())
        self._runner.close()


def check_any_sequence_of_calls(make_url: Callable[[], str]) -> None:
    """Run machines, each on a new store that a function makes."""

    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(make_url())

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=15, stateful_step_count=20, deadline=None)
    )


def test_any_sequence_of_calls(migrated: Path, tmp_path: Path) -> None:
    """Whatever is called in whatever order, the store holds what a dictionary would."""
    numbers = count()

    def copy() -> str:
        return f"sqlite:///{shutil.copy(migrated, tmp_path / f'{next(numbers)}.db')}"

    check_any_sequence_of_calls(copy)
