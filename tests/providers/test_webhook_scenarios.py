"""Everything that can be wrong with a webhook, at every provider, through the whole service: one table of results."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec import structs

from service.core import payments
from service.core.errors import WebhookNotVerified
from service.core.model import (
    AmountCheck,
    DisputeStatus,
    PaymentState,
    PaymentStatus,
    Session,
    State,
)
from service.core.webhooks import Receipt
from tests.core.builders import NOW
from tests.providers.market import Market, opened
from tests.providers.suite import call_for, created
from tests.providers.tellers import TELLERS, Later, Told

pytestmark = pytest.mark.slow

DECLINED = Told(PaymentState.FAILED, "PAYMENT0", "event-0")
YEARS = timedelta(days=1100)
OTHER_SECRET = "whsec_b3RoZXItc2VjcmV0LW9mLTMyLWJ5dGVzLTAwMDAwMDA="
UNTIMED = {"fastspring", "sellapp", "square"}
"""Whose signatures cover no time, so that a webhook can be sent again for ever."""


class Outcome(NamedTuple):
    """What a caller sees at the end; payments by their state, in any order."""

    state: State
    status: PaymentStatus
    payments: tuple[str, ...] = ()
    check: AmountCheck | None = None
    refunded: int = 0
    dispute: DisputeStatus = DisputeStatus.NONE
    has_error: bool = False


OPEN = Outcome(State.OPEN, PaymentStatus.UNPAID)
PAID = Outcome(State.COMPLETED, PaymentStatus.PAID, ("PAID",), AmountCheck.MATCHED)
AFTER_DECLINE = PAID._replace(payments=("FAILED", "PAID"))

RESULTS: Mapping[str, Outcome] = {
    "paid": PAID,
    "sent three times": PAID,
    "decline, then approval": AFTER_DECLINE,
    "declined": OPEN._replace(payments=("FAILED",), has_error=True),
    "in any order": AFTER_DECLINE,
    "replayed years later": PAID,
    "before the answer of the create": PAID,
    "for an unknown session": OPEN,
    "of another store": OPEN,
    "with live crossed": OPEN,
    "signed with another secret": OPEN,
    "no use to a session": OPEN,
    "too little": PAID._replace(check=AmountCheck.BELOW),
    "too much": PAID._replace(check=AmountCheck.ABOVE),
    "in another currency": PAID._replace(check=AmountCheck.OTHER_CURRENCY),
    "paid twice": PAID._replace(payments=("PAID", "PAID")),
    "refund after payment": PAID._replace(refunded=500),
    "refund before payment": PAID._replace(refunded=500),
    "dispute, then won": PAID._replace(dispute=DisputeStatus.WON),
}
NEEDS: Mapping[str, str] = {
    "decline, then approval": "decline",
    "declined": "decline",
    "in any order": "decline",
    "of another store": "elsewhere",
    "with live crossed": "live",
    "too little": "amount",
    "too much": "amount",
    "in another currency": "currency",
    "paid twice": "second",
    "refund after payment": "refund",
    "refund before payment": "refund",
    "dispute, then won": "dispute",
}
DIFFERENT: Mapping[tuple[str, str], Outcome] = {
    # An invoice is one payment with one state, and says no more of a refund than that all went back.
    ("sellapp", "decline, then approval"): PAID,
    ("sellapp", "in any order"): PAID,
    ("sellapp", "refund after payment"): PAID._replace(refunded=1999),
    ("sellapp", "refund before payment"): PAID._replace(refunded=1999),
}
NOT_COMPARED = {"dodo", "fastspring"}
"""Whose prices are of their own catalogue, in the buyer's currency."""

# Both calls of Square tell of payments in the same words.
HEAVY = {"square checkouts": pytest.mark.slow}
CASES = [
    pytest.param(name, scenario, marks=HEAVY.get(name, ()), id=f"{name}-{scenario}")
    for name, teller in TELLERS.items()
    for scenario in RESULTS
    if NEEDS.get(scenario) in {None, *teller.can}
]


@pytest.fixture(params=list(TELLERS))
async def market(
    request: pytest.FixtureRequest, tmp_path: Path, empty_store: bytes
) -> AsyncIterator[Market]:
    """A service at each provider."""
    async with opened(TELLERS[request.param], tmp_path, empty_store) as market:
        yield market


def expected(name: str, scenario: str) -> Outcome:
    """Return what the table says for a provider."""
    result = DIFFERENT.get((name, scenario), RESULTS[scenario])
    is_compared = result.check is None or name not in NOT_COMPARED
    return result if is_compared else result._replace(check=AmountCheck.NOT_COMPARABLE)


def outcome(session: Session) -> Outcome:
    """Return what there is to see of a session."""
    refunded = payments.amount_refunded(session)
    taken = [payment for payment in session.payments if payment.status is PaymentState.PAID]
    return Outcome(
        state=session.state,
        status=session.payment_status,
        payments=tuple(sorted(payment.status.value for payment in session.payments)),
        check=taken[0].amount_check if taken else None,
        refunded=refunded.amount if refunded else 0,
        dispute=payments.dispute_status(session),
        has_error=session.last_payment_error is not None,
    )


def stable(session: Session) -> Session:
    """Return a session without what only tells that it was looked at."""
    return structs.replace(session, version=0, update_time=NOW, reconciled_time=None)


async def paid(market: Market) -> Session:
    """The buyer pays, and every webhook arrives once."""
    session = await market.open()
    await market.deliver(*await market.paid(session))
    return session


async def sent_three_times(market: Market) -> Session:
    """Every webhook arrives three times."""
    session = await market.open()
    hooks = await market.paid(session)
    first = await market.deliver(*hooks)
    known = stable(await market.read(session))
    again = await market.deliver(*hooks, *hooks)
    repeated = {Receipt.APPLIED: Receipt.DUPLICATE}
    assert again == [repeated.get(receipt, receipt) for receipt in first] * 2
    assert stable(await market.read(session)) == known
    return session


async def decline_then_approval(market: Market) -> Session:
    """A card is declined, another one is taken."""
    session = await market.open()
    await market.deliver(*await market.declined(session))
    assert (await market.read(session)).state is State.OPEN
    await market.deliver(*await market.paid(session))
    return session


async def declined(market: Market) -> Session:
    """A card is declined, and that is all."""
    session = await market.open()
    assert await market.tell(session, DECLINED) is Receipt.APPLIED
    return session


async def in_any_order(market: Market) -> Session:
    """Decline and approval arrive in every order there is, each order at a session of its own."""
    found: list[tuple[Session, Outcome]] = []
    for turn in range(6):
        session = await market.open()
        hooks = [*await market.declined(session), *await market.paid(session)]
        orders = [*itertools.permutations(hooks)]
        await market.deliver(*orders[turn % len(orders)])
        found.append((session, outcome(await market.read(session))))
    assert len({result for _, result in found}) == 1
    return found[0][0]


async def replayed_years_later(market: Market) -> Session:
    """What came in is long forgotten, and comes in again, as it was and signed anew."""
    session = await market.open()
    hooks = await market.paid(session)
    await market.deliver(*hooks)
    known = stable(await market.read(session))
    market.clock.time += YEARS
    now = market.clock.now()
    assert await market.store.purge_events(matched_before=now, unmatched_before=now, limit=1000)
    for number, hook in enumerate(hooks):
        if market.teller.provider in UNTIMED:
            await market.deliver(hook)
        else:
            with pytest.raises(WebhookNotVerified):
                await market.deliver(hook)
        await market.deliver(market.signed(hook.body, f"again-{number}"))
    assert stable(await market.read(session)) == known
    return session


async def before_the_answer(market: Market) -> Session:
    """The buyer's bank is faster than the provider's answer to us."""
    gate = market.hold_answers()
    running = asyncio.create_task(market.open())
    while not [*market.emulator.sessions()] or not _has_page(market):
        await asyncio.sleep(0.001)
    (made,) = market.emulator.sessions()
    hooks = await market.caught(market.emulator.pay(made.provider_session_id))
    told = {Receipt.APPLIED, Receipt.UNMATCHED}
    assert told & {*await market.deliver(*hooks)}
    gate.set()
    session = await running
    assert await market.kept() == ()
    return session


def _has_page(market: Market) -> bool:
    try:
        (made,) = market.emulator.sessions()
        market.emulator.checkout(made.provider_session_id)
    except LookupError:
        return False
    return True


async def unknown_session(market: Market) -> Session:
    """Somebody else sells with the same account, and one event names what nobody knows."""
    session = await market.open()
    stranger = await created(market.adapter, call_for(market.teller.request))
    hooks = await market.caught(market.emulator.pay(stranger.provider_session_id))
    receipts = {*await market.deliver(*hooks)}
    assert receipts <= {Receipt.UNMATCHED, Receipt.IGNORED}
    assert len({payment.facts.payment_id for payment in await market.kept()}) == 1
    before = len(await market.kept())
    nobody = structs.replace(session, session_id="cs_nobody", provider_session_id="nothing")
    assert await market.tell(nobody, Told()) is Receipt.UNMATCHED
    assert len(await market.kept()) == before + 1
    return session


async def another_store(market: Market) -> Session:
    """A payment at another merchant or location of the same seller names our session."""
    session = await market.open()
    assert await market.tell(session, Told(is_elsewhere=True)) is Receipt.FOREIGN
    assert await market.kept() == ()
    return session


async def live_crossed(market: Market) -> Session:
    """Real money is reported for a test session; without our id it is nothing of this account."""
    session = await market.open()
    assert await market.tell(session, Told(live=True)) is Receipt.APPLIED
    nobody = structs.replace(session, session_id="")
    assert await market.tell(nobody, Told(live=True, event_id="event-2")) is Receipt.FOREIGN
    told = (await market.read(session)).warnings
    assert "LIVE_MISMATCH" in {warning.code for warning in told}
    return session


async def another_secret(market: Market) -> Session:
    """Another endpoint's secret proves nothing here."""
    session = await market.open()
    body = market.telling(session, Told()).body
    with pytest.raises(WebhookNotVerified):
        await market.deliver(market.signed(body, "event-1", OTHER_SECRET))
    return session


async def no_use(market: Market) -> Session:
    """An event of another kind is acknowledged, and is new each time, for it is not stored."""
    session = await market.open()
    hook = market.signed(msgspec.json.encode(market.teller.unusable), "event-1")
    assert await market.deliver(hook, hook) == [Receipt.IGNORED] * 2
    assert await market.kept() == ()
    return session


async def mismatched(market: Market, told: Told) -> Session:
    """The provider says that it is paid, and names another sum than was due."""
    session = await market.open()
    await market.tell(session, told)
    is_compared = market.teller.provider not in NOT_COMPARED
    is_suspicious = told.amount < 3000 or told.currency != "USD"
    alarmed = "payment.amount_mismatch" in market.seen.events
    assert alarmed == (is_compared and is_suspicious)
    return session


async def paid_twice(market: Market) -> Session:
    """Both payments stand, their sum is told, and so is that there are two."""
    session = await market.open()
    await market.tell(session, Told())
    await market.tell(session, Told(payment_id="PAYMENT2", event_id="event-2"))
    total = payments.amount_paid(await market.read(session))
    assert total is not None
    assert total.amount == 6000
    assert market.seen.events.count("payment.second") == 1
    return session


async def refund_after(market: Market) -> Session:
    """A part goes back, and the session stays completed."""
    session = await market.open()
    await market.tell(session, Told())
    assert await market.add(session, Later("PAYMENT1", "event-2", refund=500)) is Receipt.APPLIED
    return session


async def refund_before(market: Market) -> Session:
    """The refund overtakes its payment, and is kept until that comes."""
    session = await market.open()
    payment = market.telling(session, Told())
    await market.add(session, Later("PAYMENT1", "event-2", refund=500))
    await market.deliver(payment)
    assert await market.kept() == ()
    return session


async def dispute(market: Market) -> Session:
    """A dispute is opened and won; that it was opened comes once more afterwards."""
    session = await market.open()
    await market.tell(session, Told())
    steps = (
        ("opened", "won") if market.teller.provider == "sellapp" else ("opened", "won", "opened")
    )
    for number, word in enumerate(steps):
        later = Later("PAYMENT1", f"event-{number + 2}", dispute=word)
        assert await market.add(session, later) in {Receipt.APPLIED, Receipt.DUPLICATE}
        if number == 0:
            now = payments.dispute_status(await market.read(session))
            assert now is DisputeStatus.OPEN
    return session


SCENARIOS: Mapping[str, Callable[[Market], Awaitable[Session]]] = {
    "paid": paid,
    "sent three times": sent_three_times,
    "decline, then approval": decline_then_approval,
    "declined": declined,
    "in any order": in_any_order,
    "replayed years later": replayed_years_later,
    "before the answer of the create": before_the_answer,
    "for an unknown session": unknown_session,
    "of another store": another_store,
    "with live crossed": live_crossed,
    "signed with another secret": another_secret,
    "no use to a session": no_use,
    "too little": lambda market: mismatched(market, Told(amount=2999)),
    "too much": lambda market: mismatched(market, Told(amount=3001)),
    "in another currency": lambda market: mismatched(market, Told(currency="EUR")),
    "paid twice": paid_twice,
    "refund after payment": refund_after,
    "refund before payment": refund_before,
    "dispute, then won": dispute,
}


@pytest.mark.parametrize(("market", "scenario"), CASES, indirect=["market"])
async def test_webhooks_come_to_one_result(
    market: Market, scenario: str, request: pytest.FixtureRequest
) -> None:
    """Whatever happens on the way, the session ends as the table says."""
    session = await SCENARIOS[scenario](market)
    name = request.node.callspec.params["market"]
    assert outcome(await market.read(session)) == expected(name, scenario)
