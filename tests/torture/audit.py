"""What callers were told, what the service lists and what the provider counted, held against each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tests.torture.calls import Session

if TYPE_CHECKING:
    from tests.torture.load import Load, Told
    from tests.torture.trade import Trading


class Audit(Struct, frozen=True, kw_only=True):
    """The figures, and everything that is wrong."""

    customers: int
    sessions: int
    repeats: int
    asked: int
    pages: int
    changes: int
    webhooks: int
    applied: int
    duplicates: Sequence[str]
    lost: Sequence[str]
    stuck: Sequence[str]
    wrong: Sequence[str]
    listed: Sequence[Session]

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong."""
        return [*self.duplicates, *self.lost, *self.stuck, *self.wrong]

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield f"customers                    {self.customers:7}"
        yield f"sessions                     {self.sessions:7}"
        yield f"calls repeated               {self.repeats:7}"
        yield f"creates the provider saw     {self.asked:7}"
        yield f"pages the provider made      {self.pages:7}"
        yield f"webhooks acknowledged        {self.webhooks:7}"
        yield f"webhooks applied             {self.applied:7}"
        yield f"changes told to a watcher    {self.changes:7}"
        yield f"duplicates                   {len(self.duplicates):7}"
        yield f"lost                         {len(self.lost):7}"
        yield f"stuck                        {len(self.stuck):7}"
        yield f"otherwise wrong              {len(self.wrong):7}"
        for kind in (self.duplicates, self.lost, self.stuck, self.wrong):
            yield from kind[:5]


def audit(
    load: Load,
    provider: Trading,
    listed: Sequence[Session],
    *,
    changes: int,
    mistold: Sequence[str],
) -> Audit:
    """Compare the three views once everybody was answered; `mistold` is what a watcher found wrong."""
    sessions = {session.session_id: session for session in listed}
    return Audit(
        customers=load.arrived,
        sessions=len(listed),
        repeats=load.repeats,
        asked=sum(provider.asked.values()),
        pages=sum(map(len, provider.made.values())),
        changes=changes,
        webhooks=load.webhooks,
        applied=sum(len(session.payments) for session in listed),
        duplicates=[*_twice(listed), *_made_twice(provider), *_made_late(load.told, provider)],
        lost=[
            *_lost(load.told, sessions),
            *(f"{made} is unknown" for made in provider.made if made not in sessions),
        ],
        stuck=[
            f"{session.session_id} is stuck"
            for session in listed
            if provider.trade.is_unsettled(session)
        ],
        wrong=[*load.contradictions, *mistold, *_wrong(load.told, sessions)],
        listed=listed,
    )


def _twice(listed: Sequence[Session]) -> Iterator[str]:
    found = defaultdict(list)
    for session in listed:
        found[session.reference_id].append(session.session_id)
    return (f"{name} has {ids}" for name, ids in found.items() if len(ids) > 1)


def _made_twice(provider: Trading) -> Iterator[str]:
    for session_id, lives in provider.made.items():
        life, times = Counter(lives).most_common(1)[0] if lives else (0, 0)
        if times > 1:
            yield f"{session_id} has {times} pages of life {life}"
        elif len(lives) > 1 and provider.trade.takes_a_key:
            yield f"{session_id} has {len(lives)} pages"


def _made_late(told: Sequence[Told], provider: Trading) -> Iterator[str]:
    for each in told:
        made = len(provider.made.get(each.session_id, ()))
        if made > max(each.pages, 0) and each.state != Session.STATE_FAILED:
            yield f"{each.session_id} has {made} pages, and had {each.pages} when it was answered"


def _lost(told: Sequence[Told], sessions: dict[str, Session]) -> Iterator[str]:
    for each in told:
        session = sessions.get(each.session_id)
        if session is None:
            yield f"{each.reference} was told {each.session_id}, which is gone"
        elif each.payment_id and not any(
            payment.provider_payment_id == each.payment_id for payment in session.payments
        ):
            yield f"{each.session_id} lacks the payment {each.payment_id}"


def _wrong(told: Sequence[Told], sessions: dict[str, Session]) -> Iterator[str]:
    for each in told:
        session = sessions.get(each.session_id)
        if session is None:
            continue
        if (session.state, session.reference_id) != (each.state, each.reference):
            name = Session.State.Name
            yield f"{each.session_id} is {name(session.state)}, and was {name(each.state)}"
        if each.payment_id and each.state == Session.STATE_EXPIRED and not session.payments[0].late:
            yield f"{each.session_id} was paid late, and does not say so"
