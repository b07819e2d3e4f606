"""Expiry racing payment: every order of every step on the store comes to the one result of the table."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from service.core.errors import PaymentInProgress, SessionCompleted
from service.core.model import PaymentState, PaymentStatus, Session, State
from service.core.ports import Closing, ProviderEvent
from tests.core.builders import NOW, SECOND, payment, request
from tests.core.conftest import Service
from tests.core.races import Actor, Turns, next_plan, race, settled, stage
from tests.core.scripted import ScriptedProvider

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
TTL = timedelta(minutes=10)
END = NOW + TTL


@pytest.fixture
def url(tmp_path: Path, empty_store: bytes) -> str:
    """Provide the URL of an empty store."""
    path = tmp_path / "race.db"
    path.write_bytes(empty_store)
    return f"sqlite:///{path}"


class RacedProvider(ScriptedProvider):
    """May close its pages, and tells then on which it was paid; the times of its payments are in its events."""

    payment_grace = timedelta(0)

    def __init__(self, turns: Turns, *, closes: bool) -> None:
        super().__init__()
        self.capabilities = msgspec.structs.replace(self.capabilities, cancel=closes)
        self.turns = turns
        self.settled: dict[str, Closing] = {}

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        await self.turns.stop()
        return self.settled.get(provider_session_id, Closing(closed=True))

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        told = msgspec.json.decode(body)
        at = datetime.fromisoformat(told["at"])
        return [
            ProviderEvent(
                event_id=told["id"],
                event_type="payment",
                session_id=told["session"],
                report=payment(PaymentState(told["status"]), at, payment_id=told["payment"]),
            )
        ]


class Race:
    """Who races for one session around an end, and whether a request to end it was refused."""

    def __init__(self, session: Session, end: datetime) -> None:
        self.session = session
        self.is_refused = False
        self._in_time, self._late = end - SECOND, end + SECOND

    def actors(self, names: Sequence[str]) -> Mapping[str, Actor]:
        """Return actors by their names."""
        return {name: getattr(self, name) for name in names}

    async def sweep(self, service: Service) -> None:
        """Expire what is due, then close what has ended."""
        for _ in range(2):
            await service.sweep.sweep()
            await settled(service)

    async def expire(self, service: Service) -> None:
        """End the session by request."""
        try:
            await service.expire(self.session.session_id)
        except (SessionCompleted, PaymentInProgress):
            self.is_refused = True

    async def in_time(self, service: Service) -> None:
        """Tell of a payment that was made in time."""
        await self._tell(service, "in time", PaymentState.PAID, self._in_time)

    async def late(self, service: Service) -> None:
        """Tell of a payment that was made too late."""
        await self._tell(service, "late", PaymentState.PAID, self._late)

    async def begun(self, service: Service) -> None:
        """Tell of a payment that was begun in time, and then that its money came."""
        await self._tell(service, "begun", PaymentState.PROCESSING, self._in_time)
        await self._tell(service, "begun", PaymentState.PAID, self._in_time)

    async def failed(self, service: Service) -> None:
        """Tell of a payment that was begun in time, and then that it came to nothing."""
        await self._tell(service, "failed", PaymentState.PROCESSING, self._in_time)
        await self._tell(service, "failed", PaymentState.FAILED, self._in_time)

    async def _tell(self, service: Service, name: str, status: PaymentState, at: datetime) -> None:
        session_id = self.session.session_id
        told = {"id": f"{session_id} {name} {status.value}", "session": session_id}
        told |= {"payment": name, "status": status.value, "at": at.isoformat()}
        body = msgspec.json.encode(told)
        await service.webhook("scripted", "default", {"signature": "good"}, body)


def expected(names: Sequence[str]) -> tuple[object, ...]:
    """Return state, payment status and the late payments that the table says."""
    late = ["late"] if "late" in names else []
    if {"in_time", "begun"} & {*names}:
        return State.COMPLETED, PaymentStatus.PAID, late
    return State.EXPIRED, PaymentStatus.PAID if late else PaymentStatus.UNPAID, late


def seen(session: Session) -> tuple[object, ...]:
    """Return what the table speaks of."""
    late = [one.provider_payment_id for one in session.payments if one.late]
    return session.state, session.payment_status, late


async def results(
    url: str,
    names: Sequence[str],
    *,
    end: datetime = END,
    now: datetime = END + HOUR,
    closes: bool = False,
    paid_there: Closing | None = None,
) -> list[tuple[Session, Race]]:
    """Run a race by every plan there is, each at a session of its own, and return how each ended."""
    turns, found = Turns(), []
    provider = RacedProvider(turns, closes=closes)
    async with stage(url, provider, turns) as service:
        plan: list[int] | None = []
        while plan is not None:
            service.clock.time = NOW
            made = await service.create(request(ttl=TTL), caller="anonymous", deadline=None)
            if paid_there is not None:
                provider.settled[made.session.provider_session_id] = paid_there
            service.clock.time = now
            one = Race(made.session, end)
            choices = await race(service, turns, one.actors(names), plan)
            found.append(((await service.get(made.session.session_id)).session, one))
            plan = next_plan(plan, choices)
    return found


ACTORS = ("sweep", "expire", "in_time", "late", "begun", "failed")
SLOW = pytest.mark.slow
PAIRS = [
    pytest.param(names, marks=SLOW if "failed" in names else ())
    for names in itertools.combinations(ACTORS, 2)
]
TRIPLES = [pytest.param(names, marks=SLOW) for names in itertools.combinations(ACTORS[:4], 3)]


@pytest.mark.parametrize("names", [*PAIRS, *TRIPLES], ids="-".join)
async def test_overdue_sessions_end_as_the_table_says(names: Sequence[str], url: str) -> None:
    """Whoever comes first, and wherever the others stand by then."""
    found = await results(url, names)
    assert len(found) > 5
    for session, _ in found:
        assert seen(session) == expected(names)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("sweep", "expire"), marks=SLOW),
        ("sweep", "in_time"),
        ("sweep", "late"),
        pytest.param(("sweep", "begun"), marks=SLOW),
        ("expire", "in_time"),
        pytest.param(("expire", "late"), marks=SLOW),
    ],
    ids="-".join,
)
async def test_pages_are_closed_meanwhile(names: Sequence[str], url: str) -> None:
    """Closing takes three more steps, between any of which the others may come; an expired page is closed."""
    for session, _ in await results(url, names, closes=True):
        assert seen(session) == expected(names)
        assert session.link_closed or session.closing_time or session.state is State.COMPLETED


@pytest.mark.parametrize(
    "names",
    [
        ("expire", "in_time"),
        ("expire", "begun"),
        ("expire", "failed"),
        ("expire", "late"),
        pytest.param(("expire", "in_time", "late"), marks=SLOW),
    ],
    ids="-".join,
)
async def test_a_request_to_end_it_is_refused_or_holds(names: Sequence[str], url: str) -> None:
    """Accepted, its moment is the end by which payments are judged; refused, nothing has ended."""
    now = NOW + TTL / 2
    found = await results(url, names, end=now, now=now)
    for session, one in found:
        if not one.is_refused:
            assert seen(session) == expected(names)
        elif "failed" in names:
            assert (session.state, session.payment_status) == (State.OPEN, PaymentStatus.UNPAID)
        else:
            assert seen(session) == (State.COMPLETED, PaymentStatus.PAID, [])
    assert {one.is_refused for _, one in found} == {True, False}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("sweep", "expire"), marks=SLOW),
        ("sweep", "in_time"),
        pytest.param(("sweep", "late"), marks=SLOW),
        pytest.param(("expire", "in_time"), marks=SLOW),
    ],
    ids="-".join,
)
async def test_what_was_paid_until_the_page_was_closed_counts(
    names: Sequence[str], url: str
) -> None:
    """The provider tells of it while it closes, perhaps before its webhook, and the session has one payment of it."""
    paid = payment(PaymentState.PAID, END - SECOND, payment_id="in time")
    found = await results(url, names, closes=True, paid_there=Closing(closed=True, payments=[paid]))
    for session, _ in found:
        made = [one.provider_payment_id for one in session.payments]
        is_asked = "in time" in made
        assert seen(session) == expected((*names, "in_time") if is_asked else names)
        assert made.count("in time") == is_asked
        assert is_asked or session.closing_time
