"""Two actors at one session, each stopped before its every step: what it holds may be stale when it goes on."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from itertools import count, pairwise

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from service.core import lifecycle, payments
from service.core.errors import (
    PaymentInProgress,
    RequestIdTaken,
    RequestInFlight,
    SessionCompleted,
    StoreConflict,
)
from service.core.lifecycle import Move
from service.core.model import PaymentState, Session, State
from service.core.ports import Store
from service.core.record import Record, RequestKey
from service.core.unmatched import UnmatchedQuery
from tests.core.builders import NOW, request
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.core.test_stateful import LEGAL
from tests.storage.actors import Actor, Saved, Stopping, Teller
from tests.storage.records import changed

TTL = timedelta(minutes=10)
KEY = RequestKey("anonymous", "wanted")
LEADS_TO = {
    Move.STAY: (),
    Move.OPEN: (State.OPEN,),
    Move.JUDGE: (State.COMPLETED, State.EXPIRED),
    Move.FAIL: (State.FAILED,),
    Move.LEAVE_UNRESOLVED: (State.UNRESOLVED,),
    Move.EXPIRE: (State.EXPIRED,),
    Move.EXPIRE_UNLESS_PROCESSING: (State.EXPIRED,),
    Move.EXPIRE_OR_REFUSE: (State.EXPIRED,),
    Move.REFUSE: (),
}
REFUSALS = (RequestInFlight, SessionCompleted, PaymentInProgress)
ACTORS = st.sampled_from((0, 1))
PAYMENTS = st.sampled_from(("first", "second"))
MINUTES = st.sampled_from((1, 9, 10, 11))
MOST_STEPS = 200
Stores = Callable[[], Coroutine[None, None, Sequence[Store]]]


def reachable(state: State) -> set[State]:
    """Return every state that a session may be in after any number of events, by the one table."""
    found, new = set[State](), {state}
    while new - found:
        found |= new
        new = {
            to for one in found for move in lifecycle.TABLE[one].values() for to in LEADS_TO[move]
        }
    return found


class Isolation(RuleBasedStateMachine):
    """Two actors with the real rules, in any order of their steps."""

    def __init__(self, open_stores: Stores) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._clock = ManualClock()
        self._clock.stands_still = True
        self._written: list[Saved] = []
        self._told: set[str] = set()
        self._marks = count()
        self._copies: dict[int, Record] = {}
        self._actors = (Actor(), Actor())
        self._stores = self._runner.run(open_stores())
        self._runner.run(self._begin())

    async def _begin(self) -> None:
        ids = CountingIds()
        for actor, store in zip(self._actors, self._stores, strict=True):
            opened = Stopping(store, actor, self._written)
            actor.service = await serving(opened, self._clock, Teller(actor), ids)

    @property
    def _chain(self) -> list[Record]:
        """What was stored of the session, by its versions."""
        return [one.record for one in sorted(self._written, key=lambda one: one.expected)]

    @property
    def _version(self) -> int:
        return len(self._written)

    def _do(self, number: int, work: Callable[[Service], Coroutine[None, None, object]]) -> None:
        actor = self._actors[number]
        if actor.is_idle:
            self._runner.run(self._steps(actor, self._seen(work(actor.service))))

    async def _steps(self, actor: Actor, work: Coroutine[None, None, None]) -> None:
        actor.begin(work)
        await actor.settled()

    async def _seen(self, work: Coroutine[None, None, object]) -> None:
        """Check that what an actor is told is no older than what it could know when it asked."""
        floor = self._version
        try:
            told = await work
        except REFUSALS:
            return
        session = getattr(told, "session", None)
        if isinstance(session, Session):
            assert floor <= session.version
            known = [one.session for one in self._chain if one.session.version == session.version]
            # Whoever saved it at this moment may not have heard yet that it did.
            assert not known or session == lifecycle.effective(known[0], self._clock.time)

    @rule(number=ACTORS)
    def create(self, number: int) -> None:
        """Ask for the one session."""
        asked = request(request_id=KEY.request_id, ttl=TTL)
        self._do(number, lambda s: s.create(asked, caller=KEY.caller, deadline=None))

    @rule(number=ACTORS)
    @precondition(lambda self: self._written)
    def expire(self, number: int) -> None:
        """End it."""
        self._do(number, lambda s: s.expire(self._chain[0].session.session_id))

    @rule(number=ACTORS)
    @precondition(lambda self: self._written)
    def get(self, number: int) -> None:
        """Read it."""
        self._do(number, lambda s: s.get(self._chain[0].session.session_id))

    @rule(number=ACTORS)
    def sweep(self, number: int) -> None:
        """Do what time calls for."""
        self._do(number, lambda s: s.sweep.sweep())

    @rule(
        number=ACTORS,
        name=PAYMENTS,
        status=st.sampled_from(PaymentState),
        at=MINUTES,
        is_named=st.booleans(),
    )
    def webhook(
        self, *, number: int, name: str, status: PaymentState, at: int, is_named: bool
    ) -> None:
        """Tell of a payment: by the session's id, or by what only another event leads to the session."""
        session_id = self._chain[0].session.session_id if is_named and self._written else ""
        told = {
            "id": f"{name} {status.value}",
            "session": session_id,
            "references": ["order:one"],
            "payment": name,
            "status": status.value,
            "at": (NOW + timedelta(minutes=at)).isoformat(),
        }
        self._do(number, lambda service: self._tell(service, told))

    async def _tell(self, service: Service, told: Mapping[str, object]) -> None:
        body = msgspec.json.encode(told)
        await service.webhook("scripted", "default", {"signature": "good"}, body)
        self._told.add(str(told["payment"]))

    @rule(number=ACTORS)
    def go_on(self, number: int) -> None:
        """Let an actor take its next step."""
        self._runner.run(self._step(self._actors[number]))

    @rule()
    def go_on_together(self) -> None:
        """Let both take their next step at one moment."""
        self._runner.run(self._step(*self._actors))

    async def _step(self, *actors: Actor) -> None:
        for actor in actors:
            actor.go_on()
        for actor in actors:
            await actor.settled()

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        """Let time pass while nobody holds a lease."""
        if all(actor.is_idle for actor in self._actors):
            self._clock.time += timedelta(minutes=minutes)

    @rule(number=ACTORS)
    @precondition(lambda self: self._written)
    def copy(self, number: int) -> None:
        """Read the record, to write it later."""
        found = self._runner.run(self._stores[number].find(self._chain[0].session.session_id))
        assert found == self._chain[-1]
        self._copies[number] = found

    @rule(number=ACTORS)
    @precondition(lambda self: self._copies)
    def write_copy(self, number: int) -> None:
        """Write what was read, which the store refuses exactly where somebody else wrote meanwhile."""
        if number not in self._copies:
            return
        old = self._copies.pop(number)
        new = changed(old, metadata={"mark": str(next(self._marks))})
        is_stale = old != self._chain[-1]
        saved = self._runner.run(self._save(self._stores[number], old, new))
        assert saved is not is_stale

    async def _save(self, store: Store, old: Record, new: Record) -> bool:
        try:
            await store.save(new, expected_version=old.session.version)
        except StoreConflict:
            return False
        self._written.append(Saved(old.session.version, new))
        return True

    @rule(number=ACTORS)
    def take_the_key_again(self, number: int) -> None:
        """Nobody takes a request id that is taken."""
        if not self._written:
            return
        first = self._chain[0]
        other = structs.replace(
            first, session=structs.replace(first.session, session_id=f"cs_other{next(self._marks)}")
        )
        try:
            self._runner.run(self._stores[number].create(other))
        except RequestIdTaken:
            return
        raise AssertionError("one request id made two sessions")

    @invariant()
    def no_write_is_lost(self) -> None:
        """Each version follows the one before, once, and leads where the table says."""
        chain = self._chain
        assert [one.expected for one in sorted(self._written, key=lambda one: one.expected)] == [
            *range(len(chain))
        ]
        assert [record.session.version for record in chain] == [*range(1, len(chain) + 1)]
        for before, after in pairwise(chain):
            assert after.session.state in reachable(before.session.state)
            assert after.session.payment_status in LEGAL[after.session.state]
            paid = {one.provider_payment_id for one in before.session.payments}
            assert paid <= {one.provider_payment_id for one in after.session.payments}

    @rule()
    def look(self) -> None:
        """Find the newest version from both sides, by its id and by its request."""
        self._runner.run(self._find_newest())

    async def _find_newest(self) -> None:
        newest = self._chain[-1] if self._written else None
        for store in self._stores:
            assert await store.find_by_request(KEY) == newest
            assert newest is None or await store.find(newest.session.session_id) == newest

    @invariant()
    def one_page_is_made(self) -> None:
        """However many ask for it by one request id."""
        calls = [call for one in self._actors for call in one.service.provider.calls]
        assert len(calls) <= 1

    def teardown(self) -> None:
        """Let everybody come to an end, and look at what they have left."""
        self._runner.run(self._end())
        self._runner.close()

    async def _end(self) -> None:
        try:
            for _ in range(MOST_STEPS):
                await self._step(*self._actors)
                if all(actor.is_idle for actor in self._actors):
                    break
            else:
                raise AssertionError("somebody comes to no end")
            await self._judge()
        finally:
            for store in {id(store): store for store in self._stores}.values():
                await store.close()

    async def _judge(self) -> None:
        self.no_write_is_lost()
        self.one_page_is_made()
        await self._find_newest()
        listed = await self._stores[0].list_unmatched(UnmatchedQuery())
        seen = {one.facts.payment_id for one in listed}
        if self._written:
            session = self._chain[-1].session
            seen |= {one.provider_payment_id for one in session.payments}
            assert session.payment_status is payments.status(session)
            paid = [one for one in session.payments if one.status is PaymentState.PAID]
            if any(not one.late for one in paid):
                assert session.state is State.COMPLETED
            elif paid:
                assert session.state in (State.EXPIRED, State.FAILED)
        assert seen >= self._told


def check_isolation(open_stores: Stores, examples: int) -> None:
    """Run machines, each on a new database that a function opens for two."""

    class Machine(Isolation):
        def __init__(self) -> None:
            super().__init__(open_stores)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # The same everywhere, and told within the time of one test.
            derandomize=True,
            phases=(Phase.generate,),
        ),
    )
