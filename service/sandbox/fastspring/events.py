"""The webhooks that FastSpring sends: batches of events, and what it remembers of each."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime

from service.sandbox.delivery import Delivery
from service.sandbox.emulation import Surroundings
from service.sandbox.fastspring.payloads import batch, encode
from service.sandbox.fastspring.records import Event

KEPT = 10_000


class EventSender:
    """Keeps events, and sends them to the seller's endpoint in one batch for each thing that happens.

    200 acknowledges a whole batch, 202 the ids that its text names, one on a line; what is not acknowledged is
    sent again, with the same ids. Without an endpoint nothing is sent, and events are only listed.
    """

    def __init__(self, around: Surroundings) -> None:
        self._sender = around.sender
        self._url = around.webhook_url
        self._clock = around.clock
        self._new_id = around.new_id
        self._events: OrderedDict[str, Event] = OrderedDict()

    def listed(self, *, is_processed: bool, begin: datetime) -> Iterator[Event]:
        """Yield the acknowledged events or the others, oldest first."""
        for event in self._events.values():
            if event.is_processed is is_processed and event.created >= begin:
                yield event

    def event(self, event_id: str) -> Event | None:
        """Find an event."""
        return self._events.get(event_id)

    def send(self, *news: tuple[str, object], live: bool) -> tuple[Delivery, ...]:
        """Start to tell what has happened, as pairs of type and data."""
        events = [self._kept(name, data, live=live) for name, data in news]
        if self._url is None:
            return ()
        delivery = self._sender.send(
            url=self._url,
            webhook_id=events[0].event_id,
            event_type=" ".join(name for name, _ in news),
            body=lambda: encode(batch(_waiting(events))),
            taken=lambda status, text: _acknowledge(events, status, text),
        )
        return (delivery,)

    def _kept(self, name: str, data: object, *, live: bool) -> Event:
        event = Event(
            event_id=f"EV{self._new_id()}", type=name, live=live, data=data, created=self._clock()
        )
        self._events[event.event_id] = event
        while len(self._events) > KEPT:
            self._events.popitem(last=False)
        return event


def _waiting(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not event.is_processed]


def _acknowledge(events: Sequence[Event], status: int, text: str) -> bool:
    named = {line.strip() for line in text.splitlines()}
    for event in events:
        event.is_processed |= status == 200 or (status == 202 and event.event_id in named)
    return not _waiting(events)
