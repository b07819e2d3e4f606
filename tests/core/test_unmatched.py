"""Events that no session is known for: kept in sight, and applied as soon as something leads to one."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec import structs

from service.core.errors import InvalidRequest
from service.core.inbox import InboxEvent
from service.core.model import DisputeStatus, Money, PaymentState, PaymentStatus, State, TimeSource
from service.core.ports import DisputeReport, ProviderEvent, SubscriptionReport
from service.core.query import ListFilter
from service.core.unmatched import Facts, Kind, UnmatchedFilter, UnmatchedPayment, facts
from service.core.webhooks import Receipt
from tests.core.builders import EXPIRY, NOW, SECOND, payment
from tests.core.conftest import Service
from tests.core.test_webhooks import deliver, opened

DAY = timedelta(days=1)
EARLY = {"id": "e1", "references": ["session:ps_1"], "payment": "p", "status": "PAID"}
REFUND = {"id": "e2", "references": ["payment:p"], "payment": "p", "refund": "r"}


async def listed(service: Service, **conditions: object) -> Sequence[UnmatchedPayment]:
    """Return the first page of unmatched payments."""
    asked = UnmatchedFilter(**conditions)  # type: ignore[arg-type]
    return (await service.unmatched(asked, 0, "")).payments


async def test_an_event_for_no_known_session_is_listed(service: Service) -> None:
    """A payment nobody can place is listed with what it says of money, once however often it comes."""
    assert Receipt.UNMATCHED is await deliver(service, **EARLY)
    assert Receipt.DUPLICATE is await deliver(service, **EARLY)
    (found,) = await listed(service)
    assert (found.provider, found.account, found.event_id) == ("scripted", "default", "e1")
    assert (found.received, found.reduced) == (NOW, False)
    assert found.facts == Facts(
        live=False,
        kind=Kind.PAYMENT,
        payment_id="p",
        status=PaymentState.PAID,
        amount=Money(1999, "USD"),
        payment_time=NOW,
        references=("session:ps_1",),
    )


@pytest.mark.parametrize("is_early", [False, True])
async def test_what_waits_is_looked_for_where_something_does(
    service: Service, monkeypatch: pytest.MonkeyPatch, is_early: bool
) -> None:
    """A create asks the store for what waits only once the store has refused to overlook it."""
    asked: list[Sequence[str]] = []
    find_waiting = service.store.find_waiting

    async def noted(provider: str, account: str, names: Sequence[str]) -> Sequence[InboxEvent]:
        asked.append(names)
        found: Sequence[InboxEvent] = await find_waiting(provider, account, names)
        return found

    monkeypatch.setattr(service.store, "find_waiting", noted)
    if is_early:
        await deliver(service, **EARLY)
    session = (await service.get(await opened(service))).session
    assert session.payment_status is (PaymentStatus.PAID if is_early else PaymentStatus.UNPAID)
    assert bool(asked) is is_early


async def test_an_event_before_the_answer_of_the_create(service: Service) -> None:
    """A payment that names only the provider's session is applied when the answer tells whose that is."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(opened(service))
    while not service.provider.calls:
        await asyncio.sleep(0)
    assert Receipt.UNMATCHED is await deliver(service, **EARLY)
    service.clock.time += SECOND
    gate.set()
    session = (await service.get(await running)).session
    assert (session.state, session.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    assert (session.provider_session_id, session.update_time) == ("ps_1", NOW + SECOND)
    assert await listed(service) == ()
    assert "webhook.matched" in service.observations.events
    assert Receipt.DUPLICATE is await deliver(service, **EARLY)
    assert len((await service.get(session.session_id)).session.payments) == 1


async def test_a_refund_before_its_payment(service: Service) -> None:
    """A refund waits for the payment that tells whose it is."""
    session_id = await opened(service)
    assert Receipt.UNMATCHED is await deliver(service, **REFUND)
    assert Receipt.APPLIED is await deliver(service, **EARLY)
    session = (await service.get(session_id)).session
    assert (session.state, [*session.refunds]) == (State.COMPLETED, ["r"])
    assert await listed(service) == ()


async def test_a_declined_attempt_at_an_order_that_only_payment_opens(service: Service) -> None:
    """It waits for the order, which the payment that follows leads to."""
    session_id = await opened(service)
    declined = {"references": ["order:o", "payment:p1"], "payment": "p1", "status": "FAILED"}
    assert Receipt.UNMATCHED is await deliver(service, id="e1", **declined)
    service.provider.located = session_id
    paid = {"references": ["order:o", "payment:p2"], "payment": "p2", "status": "PAID"}
    assert Receipt.APPLIED is await deliver(service, id="e2", **paid)
    session = (await service.get(session_id)).session
    assert {payment.provider_payment_id for payment in session.payments} == {"p1", "p2"}
    assert await listed(service) == ()


async def test_what_waits_leads_on(service: Service) -> None:
    """A refund waits for a payment, the payment for the create's answer, which settles both."""
    await deliver(service, **REFUND)
    await deliver(service, **EARLY)
    session = (await service.get(await opened(service))).session
    assert (session.state, [*session.refunds]) == (State.COMPLETED, ["r"])
    assert await listed(service) == ()
    later = {"id": "e3", "references": ["payment:p"], "payment": "p", "status": "PAID"}
    assert Receipt.APPLIED is await deliver(service, **later)


async def test_what_waits_counts_by_when_it_was_received(service: Service) -> None:
    """A payment without a time of its own is in time if it was received in time, whenever it is applied."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(opened(service))
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.clock.time += SECOND
    await deliver(service, **EARLY, timeless=True)
    service.clock.time = EXPIRY + SECOND
    gate.set()
    session = (await service.get(await running)).session
    (paid,) = session.payments
    assert (session.state, paid.late) == (State.COMPLETED, False)
    assert (paid.payment_time, paid.time_source) == (NOW + SECOND, TimeSource.RECEIPT)


async def test_what_waited_in_vain_still_leaves(service: Service) -> None:
    """An event that has nothing new to say when its session turns up is matched all the same."""
    session_id = await opened(service)
    stale = {"id": "e1", "references": ["payment:p"], "payment": "p", "status": "PROCESSING"}
    await deliver(service, **stale)
    before = (await service.get(session_id)).session.version
    await deliver(service, id="e2", session=session_id, payment="p", status="PAID")
    session = (await service.get(session_id)).session
    assert (session.state, session.version) == (State.COMPLETED, before + 1)
    assert await listed(service) == ()


async def test_a_link_that_comes_while_an_event_is_looked_up(service: Service) -> None:
    """An event whose session becomes known after it was looked for in vain is not left behind."""
    made: list[str] = []

    async def locate(event: ProviderEvent) -> str:
        made.append(await opened(service))
        return ""

    service.provider.locate = locate  # type: ignore[method-assign]
    assert Receipt.APPLIED is await deliver(service, **EARLY)
    assert State.COMPLETED is (await service.get(made[0])).session.state
    assert await listed(service) == ()


async def test_an_event_that_comes_while_its_session_is_saved(service: Service) -> None:
    """An event that comes between the look at what waits and the write is applied in that write."""
    save = service.store.save
    late = [EARLY]

    async def overtaken(*arguments: object, **names: object) -> None:
        while late:
            assert Receipt.UNMATCHED is await deliver(service, **late.pop())
        await save(*arguments, **names)

    service.store.save = overtaken
    session = (await service.get(await opened(service))).session
    assert (session.state, session.provider_session_id) == (State.COMPLETED, "ps_1")
    assert await listed(service) == ()


async def test_a_hint_that_came_too_early_is_followed_up(service: Service) -> None:
    """Once its session is known, the provider is asked what the hint was about."""
    await deliver(service, id="e1", hint=True, references=["session:ps_1"])
    (found,) = await listed(service)
    assert found.facts.kind is None
    session_id = await opened(service)
    await service.background.drain(timedelta(seconds=60))
    assert service.provider.read == [("ps_1", {})]
    assert State.COMPLETED is (await service.get(session_id)).session.state
    assert await listed(service) == ()


async def test_an_event_delivered_again_with_its_session(service: Service) -> None:
    """Where the provider can place later what it could not before, the same event is applied then."""
    session_id = await opened(service)
    unplaced = {"id": "e1", "references": ["order:o"], "payment": "p", "status": "PAID"}
    assert Receipt.UNMATCHED is await deliver(service, **unplaced)
    service.provider.located = session_id
    assert Receipt.APPLIED is await deliver(service, **unplaced)
    assert State.COMPLETED is (await service.get(session_id)).session.state
    assert await listed(service) == ()
    assert Receipt.DUPLICATE is await deliver(service, **unplaced)


async def test_old_ones_are_reduced_and_stay(service: Service) -> None:
    """After 14 days ids and the amount are left, the event is not applied any more, nor taken as new."""
    await deliver(service, **EARLY)
    service.clock.time += 14 * DAY
    await service.forgetting.forget()
    assert [one.reduced for one in await listed(service)] == [False]
    service.clock.time += SECOND
    await service.forgetting.forget()
    (found,) = await listed(service)
    assert (found.reduced, found.event_type, found.facts.payment_time) == (True, "", None)
    assert (found.facts.payment_id, found.facts.amount) == ("p", Money(1999, "USD"))
    session = (await service.get(await opened(service))).session
    assert session.state is State.OPEN
    assert Receipt.APPLIED is await deliver(service, **EARLY)
    assert await listed(service) == ()


async def test_pages(service: Service) -> None:
    """Pages are the latest first and lead on to the next; what comes meanwhile disturbs none."""
    for number in range(5):
        service.clock.time += SECOND
        await deliver(service, id=f"e{number}", payment="p", status="PAID")
    first = await service.unmatched(UnmatchedFilter(), 2, "")
    await deliver(service, id="new", payment="p", status="PAID")
    second = await service.unmatched(UnmatchedFilter(), 2, first.next_page_token)
    third = await service.unmatched(UnmatchedFilter(), 2, second.next_page_token)
    pages = [[one.event_id for one in page.payments] for page in (first, second, third)]
    assert pages == [["e4", "e3"], ["e2", "e1"], ["e0"]]
    assert third.next_page_token == ""


async def test_conditions(service: Service) -> None:
    """Conditions narrow the listing; a range includes its start and not its end."""
    for number in range(3):
        await deliver(service, id=f"e{number}", payment="p", status="PAID")
        service.clock.time += SECOND
    found = await listed(service, received_from=NOW + SECOND, received_to=NOW + 2 * SECOND)
    assert [one.event_id for one in found] == ["e1"]
    assert len(await listed(service, provider="scripted", account="default")) == 3
    assert await listed(service, provider="other") == ()


async def test_token_is_bound_to_its_conditions(service: Service) -> None:
    """A token of another question, or of another listing, is refused by name."""
    for number in range(2):
        await deliver(service, id=f"e{number}", payment="p", status="PAID")
        await opened(service)
    token = (await service.unmatched(UnmatchedFilter(), 1, "")).next_page_token
    other = (await service.list(ListFilter(), 1, "")).next_page_token
    for conditions, bad in [
        (UnmatchedFilter(provider="scripted"), token),
        (UnmatchedFilter(), other),
        (UnmatchedFilter(), "nonsense!"),
    ]:
        with pytest.raises(InvalidRequest) as caught:
            await service.unmatched(conditions, 1, bad)
        assert [one.field for one in caught.value.violations] == ["page_token"]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            ProviderEvent(
                event_id="e",
                event_type="t",
                report=DisputeReport(payment_id="p", dispute_id="d", status=DisputeStatus.OPEN),
            ),
            Facts(live=True, kind=Kind.DISPUTE, payment_id="p", dispute_id="d"),
        ),
        (
            ProviderEvent(
                event_id="e",
                event_type="t",
                session_id="cs_elsewhere",
                report=SubscriptionReport(subscription_id="s", authorised=True),
            ),
            Facts(
                live=True, kind=Kind.SUBSCRIPTION, subscription_id="s", session_id="cs_elsewhere"
            ),
        ),
        (ProviderEvent(event_id="e", event_type="t", is_hint=True), Facts(live=True)),
    ],
    ids=["dispute", "subscription", "hint"],
)
def test_facts_of_other_events(event: ProviderEvent, expected: Facts) -> None:
    """Of each kind of event its ids are told, and of a live account that it is one."""
    assert facts(event, live=True) == expected


def test_a_payment_knows_its_mode_best() -> None:
    """Where the provider says of a payment whether it was real, that counts more than the account."""
    report = structs.replace(payment(PaymentState.PAID), live=False)
    event = ProviderEvent(event_id="e", event_type="t", report=report)
    assert not facts(event, live=True).live
