"""Hints: the provider is read again, and what it says is applied with the event, once."""

import pytest
from msgspec import structs

from service.core.errors import ProviderRejected, ProviderUnavailable
from service.core.model import Money, PaymentState, State, Totals, TotalsSource
from service.core.ports import ProviderSession
from service.core.webhooks import Receipt
from tests.core.builders import NOW, payment, request
from tests.core.conftest import Service
from tests.core.lives import step, stored
from tests.core.test_webhooks import deliver

HINT = {"hint": True, "references": ["session:ps_1"]}


def reading(status: PaymentState, amount: int = 1999, made: str = "ps_1") -> ProviderSession:
    """Return a provider's word about a session with one payment."""
    return ProviderSession(
        provider_session_id=made,
        payments=[payment(status, amount=amount, payment_id=f"pay_{made}")],
        totals=Totals(source=TotalsSource.PROVIDER, total=Money(amount, "USD")),
    )


async def opened(service: Service) -> str:
    """Create a session and return its id."""
    made = await service.create(request(request_id="r1"), caller="anonymous", deadline=None)
    return made.session.session_id


async def test_the_provider_is_read_again(service: Service) -> None:
    """Not the hint but what the provider says when asked is applied, and its payment is known from then on."""
    session_id = await opened(service)
    service.provider.answer = reading(PaymentState.PAID)
    assert Receipt.APPLIED is await deliver(service, id="e1", **HINT)
    session = (await service.get(session_id)).session
    assert (session.state, session.reconciled_time) == (State.COMPLETED, NOW)
    found = await service.store.find_by_reference("scripted", "default", ["payment:pay_ps_1"])
    assert found
    assert session_id == found.session.session_id


async def test_a_hint_that_comes_again_is_stored_once(service: Service) -> None:
    """The second of one name is a duplicate, and what is read for it counts all the same."""
    session_id = await opened(service)
    service.provider.answer = reading(PaymentState.PARTIALLY_PAID, 1000)
    assert Receipt.APPLIED is await deliver(service, id="e1", **HINT)
    assert State.OPEN is (await service.get(session_id)).session.state
    service.provider.answer = reading(PaymentState.PAID)
    assert Receipt.DUPLICATE is await deliver(service, id="e1", **HINT)
    assert State.COMPLETED is (await service.get(session_id)).session.state


async def test_a_provider_that_cannot_be_read(service: Service) -> None:
    """The hint is not acknowledged and not stored: sent again, it is the first of its name."""
    session_id = await opened(service)
    service.provider.answer = ProviderUnavailable("refused")
    with pytest.raises(ProviderUnavailable):
        await deliver(service, id="e1", **HINT)
    assert State.OPEN is (await service.get(session_id)).session.state
    service.provider.answer = reading(PaymentState.PAID)
    assert Receipt.APPLIED is await deliver(service, id="e1", **HINT)
    assert State.COMPLETED is (await service.get(session_id)).session.state


async def test_a_session_the_provider_does_not_know(service: Service) -> None:
    """To send such a hint again would change nothing: it is stored, and the session stays as it is."""
    session_id = await opened(service)
    before = await service.store.find(session_id)
    service.provider.answer = ProviderRejected("no", metadata={"provider_status": "404"})
    assert Receipt.APPLIED is await deliver(service, id="e1", **HINT)
    assert Receipt.DUPLICATE is await deliver(service, id="e1", **HINT)
    assert before == await service.store.find(session_id)


async def test_hints_of_unknown_sessions_are_kept(service: Service) -> None:
    """Nobody is asked about what leads nowhere."""
    assert Receipt.UNMATCHED is await deliver(service, id="e1", **HINT)
    assert Receipt.DUPLICATE is await deliver(service, id="e1", **HINT)
    assert service.provider.read == []


async def test_a_hint_without_a_reference_to_read_by(service: Service) -> None:
    """Where only our own id is known, the session's id at the provider is what is read."""
    session_id = await opened(service)
    service.provider.answer = reading(PaymentState.PAID)
    assert Receipt.APPLIED is await deliver(service, id="e1", hint=True, session=session_id)
    assert service.provider.read == [("ps_1", {})]
    assert State.COMPLETED is (await service.get(session_id)).session.state


async def test_what_a_superseded_attempt_made_is_paid(service: Service) -> None:
    """The orphan the hint names is read, and only its payment belongs to the session."""
    service.provider.script = [step(9), ProviderUnavailable("refused")]
    with pytest.raises(ProviderUnavailable):
        await opened(service)
    session_id = service.provider.calls[0].session_id
    record = await stored(service, session_id)
    moved = structs.replace(record.session, provider_session_id="inv_10", version=9)
    await service.store.save(
        structs.replace(record, session=moved), expected_version=record.session.version
    )
    service.provider.answer = reading(PaymentState.PAID, made="inv_9")
    orphan = {"hint": True, "references": ["session:inv_9"]}
    assert Receipt.APPLIED is await deliver(service, id="e1", **orphan)
    assert service.provider.read == [("inv_9", None)]
    session = (await service.get(session_id)).session
    assert (session.state, session.provider_session_id) == (State.COMPLETED, "inv_10")
    assert session.totals.source is not TotalsSource.PROVIDER
