"""Batches of events whose provider takes an acknowledgement of each: what is durable is told, the rest comes again."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from service.core.errors import StoreUnavailable
from service.core.model import PaymentState, State
from service.core.ports import ProviderEvent
from service.core.webhooks import PartlyTaken, Receipt
from tests.core.builders import payment, request
from tests.core.conftest import Service
from tests.core.scripted import ScriptedProvider

GOOD = {"signature": "good"}


class BatchingProvider(ScriptedProvider):
    """A provider whose body is a list of events."""

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        """Return each event with its own part of the body."""
        return [_event(msgspec.json.decode(raw), bytes(raw)) for raw in _parts(body)]


def _parts(body: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(body, type=list[msgspec.Raw])


def _event(event: dict[str, str], raw: bytes) -> ProviderEvent:
    return ProviderEvent(
        event_id=event["id"],
        event_type="payment",
        session_id=event.get("session", ""),
        report=payment(PaymentState.PAID, payment_id=event.get("payment", "p")),
        body=raw,
        stands_alone=True,
        unreadable=event.get("wrong", ""),
    )


@pytest.fixture
async def batching(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service whose provider sends batches."""
    provider = BatchingProvider()
    monkeypatch.setattr(service.provider, "parse", provider.parse)
    return service


async def deliver(service: Service, *events: Mapping[str, str]) -> Sequence[Receipt]:
    """Deliver one signed batch."""
    return await service.webhook("scripted", "default", GOOD, msgspec.json.encode(events))


async def opened(service: Service) -> str:
    """Create a session and return its id."""
    made = await service.create(request(), caller="anonymous", deadline=None)
    return made.session.session_id


async def test_each_event_is_stored_and_applied_by_itself(batching: Service) -> None:
    """A batch completes one session, keeps a stranger's payment, and knows both when they come again."""
    session_id = await opened(batching)
    batch = ({"id": "e1", "session": session_id}, {"id": "e2", "payment": "q"})
    assert await deliver(batching, *batch) == [Receipt.APPLIED, Receipt.UNMATCHED]
    assert (await batching.get(session_id)).session.state is State.COMPLETED
    assert await deliver(batching, *batch) == [Receipt.DUPLICATE, Receipt.DUPLICATE]


async def test_an_unreadable_event_holds_up_no_other(batching: Service) -> None:
    """What can be read is taken and named; the rest is left for the provider to send again."""
    session_id = await opened(batching)
    with pytest.raises(PartlyTaken) as caught:
        await deliver(
            batching, {"id": "e1", "wrong": "no amount"}, {"id": "e2", "session": session_id}
        )
    assert caught.value.event_ids == ("e2",)
    assert caught.value.receipts == (Receipt.APPLIED,)
    assert [type(failure) for failure in caught.value.failures] == [ValueError]


async def test_what_no_event_survives_is_refused_whole(
    batching: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a single durable event there is nothing to acknowledge."""
    with pytest.raises(ValueError, match="no amount"):
        await deliver(batching, {"id": "e1", "wrong": "no amount"})

    async def away(_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(batching.store, "receive", away, raising=False)
    with pytest.raises(StoreUnavailable):
        await deliver(batching, {"id": "e2"}, {"id": "e3"})
