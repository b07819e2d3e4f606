"""What is remembered of a session: each change with its cause, and what was called and heard on the way."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from service.core.calls import CallMade, Gathering, note_call
from service.core.chronicle import Chronicle
from service.core.closing import AGAIN_AFTER
from service.core.errors import (
    InvalidRequest,
    ProviderOutcomeUnknown,
    ProviderUnavailable,
    SessionNotFound,
    StoreUnavailable,
)
from service.core.events import Called, Cause, Changed, Fact, Received, Taking
from service.core.model import PaymentState, PaymentStatus, State, UnknownOutcomeStrategy
from service.core.ports import (
    Closing,
    CreateCall,
    PaymentReport,
    ProviderEvent,
    ProviderSession,
    Step,
)
from service.storage.registry import open_store
from tests.core.builders import EXPIRY, NOW, SECOND, request
from tests.core.conftest import CountingIds, Interruptible, ManualClock, Service, serving
from tests.core.lives import AFTER, killed, swept
from tests.core.looking import MINUTE, look, open_shop
from tests.core.looking import opened as opened_in
from tests.core.scripted import ScriptedProvider
from tests.core.seller import ListingSeller
from tests.core.test_webhooks import deliver, opened

LATENCY = timedelta(milliseconds=12)


class CallingProvider(ScriptedProvider):
    """Notes a request for whatever it is asked, as the client of a real one does."""

    async def create(self, call: CreateCall) -> ProviderSession | Step:
        _called("create")
        return await super().create(call)

    async def retrieve(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> ProviderSession:
        _called("retrieve")
        return await super().retrieve(provider_session_id, details)

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        _called("cancel")
        return await super().cancel(provider_session_id, details)

    async def locate(self, event: ProviderEvent) -> str:
        _called("locate")
        return await super().locate(event)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        (event,) = super().parse(headers, body)
        if b'"live":true' in body and isinstance(event.report, PaymentReport):
            return [structs.replace(event, report=structs.replace(event.report, live=True))]
        return [event]


def _called(operation: str) -> None:
    note_call(
        CallMade(
            operation=operation,
            outcome="answered",
            began=time.monotonic(),
            latency=LATENCY.total_seconds(),
            status=200,
            provider_request_id=f"req_{operation}",
            sent=b"sent",
            received=operation.encode(),
        )
    )


@pytest.fixture
async def service(tmp_path: Path, empty_store: bytes) -> AsyncIterator[Service]:
    """Return the use cases with a provider whose calls are noted."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty_store)
    store = Interruptible(await open_store(f"sqlite:///{path}"))
    running = await serving(store, ManualClock(), CallingProvider(), CountingIds())
    yield running
    await running.background.drain(timedelta(seconds=60))
    await running.store.close()


async def facts(service: Service, session_id: str) -> list[Fact]:
    """Return a session's timeline."""
    page = await service.events(session_id, 1000, "")
    assert page.next_page_token == ""
    return [event.fact for event in page.events]


async def told(service: Service, session_id: str) -> list[str]:
    """Return a session's timeline in a few words."""
    return [words(fact) for fact in await facts(service, session_id)]


def words(fact: Fact) -> str:
    """Return what a fact says."""
    match fact:
        case Called():
            return f"{fact.operation} {fact.outcome}"
        case Received():
            return f"{fact.event_id} {fact.taking.value} {fact.reason}".strip()
        case Changed():
            return f"{fact.cause.value}: {' '.join(fact.types)}".rstrip(": ")


async def test_a_create_and_its_payment(service: Service) -> None:
    """The request, the call, what it came to, the webhook and what that came to, in this order."""
    session_id = await opened(service)
    service.clock.time = NOW + SECOND
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    requested, call, answered, webhook, paid = await facts(service, session_id)
    unpaid = PaymentStatus.UNPAID
    assert requested == Changed(
        NOW, Cause.CREATE_REQUESTED, State.CREATING, unpaid, 1, ("session.created",)
    )
    assert isinstance(call, Called)
    assert (call.operation, call.outcome, call.status) == ("create", "answered", 200)
    assert (call.latency, call.provider_request_id) == (LATENCY, "req_create")
    assert abs(call.time - NOW) < timedelta(seconds=20)
    assert answered == Changed(
        NOW, Cause.CREATE_ANSWERED, State.OPEN, unpaid, 1, ("session.opened",)
    )
    assert webhook == Received(NOW + SECOND, Taking.APPLIED, "e1", "payment")
    types = ("payment.paid", "session.completed")
    assert paid == Changed(
        NOW + SECOND, Cause.WEBHOOK, State.COMPLETED, PaymentStatus.PAID, 1, types
    )


async def test_versions_tell_what_belongs_together(service: Service) -> None:
    """Calls and webhooks have the version that they were a part of making."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    page = await service.events(session_id, 0, "")
    assert [event.version for event in page.events] == [1, 2, 2, 3, 3]


async def test_digests_are_keyed_and_tell_bodies_apart(service: Service) -> None:
    """Equal bodies have equal digests, others have others, and another store's are others again."""
    session_id = await opened(service)
    await service.get(session_id, refresh=True)
    first, second = [f for f in await facts(service, session_id) if isinstance(f, Called)]
    assert first.request_digest == second.request_digest
    assert first.answer_digest != second.answer_digest
    assert len({len(digest) for digest in (first.request_digest, first.answer_digest)}) == 1
    digests = [digest(secret) for secret in (b"one", b"one", b"another")]
    assert digests[0] == digests[1] != digests[2]


def digest(secret: bytes) -> str:
    """Return the digest of one body with a secret."""
    chronicle = Chronicle(clock=ManualClock(), secret=secret)
    with Gathering():
        _called("create")
        (fact,) = chronicle.unchanged(None)
    assert isinstance(fact, Called)
    return fact.request_digest


async def test_an_attempt_that_failed_and_the_next_one(service: Service) -> None:
    """Each attempt stands there with its call, and the repeat that began the second one."""
    service.provider.script = [ProviderOutcomeUnknown("lost")]
    with pytest.raises(ProviderOutcomeUnknown):
        await service.create(request(request_id="r1"), caller="shop", deadline=None)
    session_id = service.provider.calls[0].session_id
    await service.create(request(request_id="r1"), caller="shop", deadline=None)
    assert await told(service, session_id) == [
        "create_requested: session.created",
        "create answered",
        "create_answered",
        "create_repeated",
        "create answered",
        "create_answered: session.opened",
    ]
    attempts = [f.attempt for f in await facts(service, session_id) if isinstance(f, Changed)]
    assert attempts == [1, 1, 2, 2]


async def test_an_abandoned_attempt(service: Service) -> None:
    """Where a process dies, the one that takes over tells of it, and of the calls that it makes."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.REPLAY
    record = await killed(service, request_id="r1")
    service.clock.time = AFTER
    await swept(service, record.session.session_id)
    assert await told(service, record.session.session_id) == [
        "create_requested: session.created",
        "attempt_abandoned",
        "create answered",
        "create_answered: session.opened",
    ]


async def test_an_end_by_time_and_one_by_request(service: Service) -> None:
    """Both kinds of end are told apart."""
    asked, due = await opened(service), await opened(service)
    await service.expire(asked)
    service.clock.time = EXPIRY
    await service.sweep.sweep()
    assert (await told(service, asked))[-1] == "expire_requested: session.expired"
    assert (await told(service, due))[-1] == "time_passed: session.expired"


async def test_a_page_that_is_closed(service: Service) -> None:
    """Each try to close the page is told with its call, and what callers see of it is the last one."""
    service.provider.capabilities = structs.replace(service.provider.capabilities, cancel=True)
    service.provider.closings = [ProviderUnavailable("away")]
    session_id = await opened(service)
    await service.expire(session_id)
    service.clock.time = NOW + AGAIN_AFTER
    await swept(service, session_id)
    assert (await told(service, session_id))[3:] == [
        "expire_requested: session.expired",
        "page_closing",
        "cancel answered",
        "page_closing",
        "cancel answered",
        "page_closing: session.updated",
    ]


async def test_a_payment_that_was_listed(tmp_path: Path, empty_store: bytes) -> None:
    """What no webhook told of, and the provider's list did, is told as that."""
    seller = ListingSeller()
    async with open_shop(tmp_path, empty_store, seller) as shop:
        session_id = await opened_in(shop)
        seller.sell("p1", session_id, shop.clock.now(), PaymentState.PAID)
        await look(shop, 4 * MINUTE, times=2)
        entries = await told(shop, session_id)
    assert entries[-1] == "listing: payment.paid session.completed"


async def test_a_reading_that_finds_something_and_one_that_fails(service: Service) -> None:
    """What a refresh was answered stands with its change; where no answer came, the call stands alone."""
    session_id = await opened(service)
    service.provider.answer = ProviderUnavailable("away")
    await service.get(session_id, refresh=True)
    service.provider.answer = None
    await service.get(session_id, refresh=True)
    assert (await told(service, session_id))[3:] == [
        "retrieve answered",
        "retrieve answered",
        "reading: payment.paid session.completed",
    ]


async def test_webhooks_without_effect(service: Service) -> None:
    """Old news and a second delivery are told, with why they changed nothing."""
    session_id = await opened(service)
    await deliver(service, id="e1", session=session_id, payment="p", status="PAID")
    before = await told(service, session_id)
    old = {"id": "e2", "session": session_id, "payment": "p", "status": "PROCESSING"}
    for _ in range(2):
        await deliver(service, **old)
    after = await told(service, session_id)
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        "e2 without_effect NOTHING_NEW",
        "e2 duplicate ALREADY_RECEIVED",
    ]


async def test_a_payment_of_another_mode(service: Service) -> None:
    """An event that must not count is refused by name, and the warning is what changed."""
    session_id = await opened(service)
    event = {"id": "e1", "session": session_id, "payment": "p", "status": "PAID", "live": True}
    await deliver(service, **event)
    assert (await told(service, session_id))[3:] == [
        "e1 refused LIVE_MISMATCH",
        "webhook: session.updated",
    ]


async def test_an_event_that_had_waited(service: Service) -> None:
    """An event that came before anything led to its session is told when it is applied."""
    early = {"references": ["session:ps_1"], "payment": "p", "status": "PAID"}
    await deliver(service, id="e1", **early)
    session_id = await opened(service)
    assert (await told(service, session_id))[1:] == [
        "create answered",
        "e1 matched",
        "create_answered: payment.paid session.completed",
    ]


async def test_an_event_that_was_asked_about(service: Service) -> None:
    """The call that led from an event to its session stands with it."""
    session_id = await opened(service)
    service.provider.located = session_id
    await deliver(service, id="e1", references=["order:o"], payment="p", status="PAID")
    assert (await told(service, session_id))[3:] == [
        "locate answered",
        "e1 applied",
        "webhook: payment.paid session.completed",
    ]


async def test_a_hint_that_cannot_be_followed(service: Service) -> None:
    """Where the provider does not answer, the call is told; the event comes again."""
    session_id = await opened(service)
    service.provider.answer = ProviderUnavailable("away")
    with pytest.raises(ProviderUnavailable):
        await deliver(service, id="e1", session=session_id, hint=True)
    assert (await told(service, session_id))[3:] == ["retrieve answered"]


async def test_calls_outlive_a_store_that_is_away(service: Service) -> None:
    """What could not be stored at once is stored later, with the call that it came of."""
    service.store.away = True
    with pytest.raises(StoreUnavailable):
        await service.create(request(request_id="r1"), caller="shop", deadline=None)
    service.store.away = False
    session_id = service.provider.calls[0].session_id
    again = await service.create(request(request_id="r1"), caller="shop", deadline=None)
    assert again.session.state is State.OPEN
    assert await told(service, session_id) == [
        "create_requested: session.created",
        "create answered",
        "create_answered: session.opened",
    ]


async def test_one_sessions_calls_are_not_anothers(service: Service) -> None:
    """However creates run beside each other, each timeline has its own call alone."""
    ids = [await opened(service) for _ in range(3)]
    for session_id in ids:
        assert [f for f in await told(service, session_id) if f.startswith("create ")] == [
            "create answered"
        ]


async def test_pages_lead_on(service: Service) -> None:
    """A token leads to the next page of its own session only; an unknown session has no timeline."""
    session_id, other = await opened(service), await opened(service)
    whole = (await service.events(session_id, 0, "")).events
    first = await service.events(session_id, 2, "")
    rest = await service.events(session_id, 2, first.next_page_token)
    assert (*first.events, *rest.events) == whole
    assert rest.next_page_token == ""
    with pytest.raises(InvalidRequest):
        await service.events(other, 2, first.next_page_token)
    with pytest.raises(SessionNotFound):
        await service.events("cs_unknown", 2, "")
