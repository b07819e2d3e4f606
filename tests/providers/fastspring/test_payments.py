"""What becomes of a session at FastSpring's emulator, told by webhooks and by asking."""

from datetime import timedelta
from itertools import count

import msgspec

from service.core.model import PaymentState
from service.core.ports import PaymentReport, Provider, SubscriptionReport
from tests.providers.fastspring.shop import BASE, emulator, selling, told
from tests.providers.sandbox import NOW, Place
from tests.providers.suite import SESSION_ID, call_for


async def test_a_batch_tells_order_and_subscription(fastspring: Provider, place: Place) -> None:
    """One webhook holds both, and both lead to the session."""
    created = await fastspring.create(call_for(selling("demo-subscription")))
    events = await told(fastspring, place, emulator(place).pay(created.provider_session_id))
    assert len(place.hooks) == 1
    paid, started = [event.report for event in events]
    assert isinstance(paid, PaymentReport)
    assert isinstance(started, SubscriptionReport)
    assert paid.subscription_id == started.subscription_id
    assert not started.authorised


async def test_a_trial_is_authorised(fastspring: Provider, place: Place) -> None:
    """Nothing is due, so nothing is paid, by webhook and by asking."""
    created = await fastspring.create(call_for(selling("demo-trial")))
    events = await told(fastspring, place, emulator(place).pay(created.provider_session_id))
    reports = [event.report for event in events if isinstance(event.report, SubscriptionReport)]
    assert [report.authorised for report in reports] == [True, True]
    found = await fastspring.retrieve(created.provider_session_id)
    assert found.authorised
    assert found.payments == ()
    assert found.subscription_id == reports[0].subscription_id


async def test_something_free_is_authorised_without_subscription(
    fastspring: Provider, place: Place
) -> None:
    """A gift needs no payment."""
    created = await fastspring.create(call_for(selling("demo-free")))
    (event,) = await told(fastspring, place, emulator(place).pay(created.provider_session_id))
    assert event.report == SubscriptionReport(
        subscription_id="",
        authorised=True,
        authorised_time=NOW,
        collected=event.report.collected,  # type: ignore[union-attr]
        live=False,
    )


async def test_a_delayed_payment_is_processing_until_it_comes(
    fastspring: Provider, place: Place
) -> None:
    """The order is told as pending and then as completed, both under its one id."""
    created = await fastspring.create(call_for(BASE))
    await told(fastspring, place, emulator(place).submit(created.provider_session_id))
    found = await fastspring.retrieve(created.provider_session_id)
    assert [payment.status for payment in found.payments] == [PaymentState.PROCESSING]
    events = await told(fastspring, place, emulator(place).complete(created.provider_session_id))
    reports = [event.report for event in events if isinstance(event.report, PaymentReport)]
    assert [report.status for report in reports] == [PaymentState.PROCESSING, PaymentState.PAID]
    assert len({report.payment_id for report in reports}) == 1
    found = await fastspring.retrieve(created.provider_session_id)
    assert {payment.payment_id for payment in found.payments} == {reports[0].payment_id}


async def test_a_decline_leaves_the_page_open(fastspring: Provider, place: Place) -> None:
    """It is told with its reason, and the session goes on."""
    created = await fastspring.create(call_for(BASE))
    events = await told(fastspring, place, emulator(place).decline(created.provider_session_id))
    (report,) = [event.report for event in events]
    assert isinstance(report, PaymentReport)
    assert report.status is PaymentState.FAILED
    assert report.error is not None
    assert (report.error.code, report.error.message) == ("order.failed", "DECLINED")
    assert (await fastspring.retrieve(created.provider_session_id)).payments == ()


async def test_an_event_without_expansion_is_asked_after(
    fastspring: Provider, place: Place
) -> None:
    """Only the order's id comes, and the order's tags lead to the session."""
    emulator(place).sends_bare_events = True
    created = await fastspring.create(call_for(BASE))
    (event,) = await told(fastspring, place, emulator(place).pay(created.provider_session_id))
    assert event.session_id == ""
    assert await fastspring.locate(event) == SESSION_ID
    other = msgspec.structs.replace(event, references=("payment:1",))
    assert await fastspring.locate(other) == ""


async def test_an_order_that_no_event_tells_is_a_warning(
    fastspring: Provider, place: Place
) -> None:
    """Without tags in events the order is not found, and no payment is invented."""
    emulator(place).sends_bare_events = True
    created = await fastspring.create(call_for(BASE))
    emulator(place).pay(created.provider_session_id)
    found = await fastspring.retrieve(created.provider_session_id)
    assert found.payments == ()
    assert [warning.code for warning in found.warnings] == ["ORDER_UNKNOWN"]


async def test_an_order_is_found_among_many(fastspring: Provider, place: Place) -> None:
    """Events come 25 at a time, acknowledged or not."""
    seconds = count()
    emulator(place).events._clock = lambda: NOW + timedelta(seconds=next(seconds))
    sessions = [await fastspring.create(call_for(BASE, f"cs_{n:026d}")) for n in range(30)]
    emulator(place).clock = lambda: NOW + timedelta(hours=1)
    deliveries = [
        delivery
        for session in sessions
        for delivery in emulator(place).pay(session.provider_session_id)
    ]
    last = sessions[-1].provider_session_id
    assert len((await fastspring.retrieve(last)).payments) == 1
    for delivery in deliveries:
        await delivery.tried.wait()
    assert len((await fastspring.retrieve(last)).payments) == 1
