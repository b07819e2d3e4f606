"""Events as FastSpring lists them: how a session's order is found, which it does not name, and what was missed."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from msgspec import Struct

from service.core.ports import ProviderEvent
from service.core.window import Listed, Window
from service.providers.answers import Answer, converted, lenient
from service.providers.fastspring import payloads, webhooks
from service.providers.fastspring.errors import error_of
from service.providers.fastspring.reading import EPOCH, moment, our_session_id
from service.providers.http import ProviderHttp
from service.providers.meanings import usable

# What was acknowledged between two requests has moved from the first list to the second.
LISTS = ("unprocessed", "processed")
# Of 25 events each. A session lives a day: more than this is another shop's traffic, and webhooks tell too.
MOST_PAGES = 8
# For a session that does not say when it was made.
DAYS = 2


class Page(Struct, frozen=True):
    """The answer to a listing of events, at most 25 of them."""

    events: list[object]
    more: bool | None = None


class EventsRefusal(Struct, frozen=True):
    """The body of a refused listing, which is of an older kind than that of sessions."""

    error: dict[str, str]


class OrderAnswer(Struct, frozen=True):
    """The answer to reading an order, which older texts put into a list."""

    orders: list[payloads.Order] | None = None
    tags: object = None


class History:
    """The events and orders of one account."""

    def __init__(self, *, http: ProviderHttp, names: Mapping[str, str]) -> None:
        self._http = http
        self._names = names

    async def readings(self, session_id: str, since: datetime | None) -> Sequence[webhooks.Reading]:
        """Return what the events about our session's orders say, made since it was."""
        found: dict[str, webhooks.Reading] = {}
        for name in LISTS:
            async for event in self._events(name, since):
                reading = _read(event)
                if reading and reading.session_id == session_id and event.id not in found:
                    found[event.id] = reading
        return [*found.values()]

    async def session_id(self, order_id: str) -> str:
        """Return our session's id out of an order's tags, empty where it is not there."""
        path = f"/orders/{quote(order_id, safe='')}"
        answer = await self._http.request("locate", "GET", path, sent_is_safe=True)
        read = lenient(self._body(answer), OrderAnswer) or OrderAnswer()
        tags = [read.tags, *(order.tags for order in read.orders or ())]
        return next(filter(None, map(our_session_id, tags)), "")

    async def recent(self, window: Window, *, live: bool) -> Listed:
        """Return a page of what happened in a window, as webhooks tell it."""
        name, _, turned = window.page.partition(":")
        begin = int(turned) if turned else _milliseconds(window.since)
        end = _milliseconds(window.until)
        found: list[ProviderEvent] = []
        for current in LISTS[LISTS.index(name or LISTS[0]) :]:
            page = await self._page(current, {"begin": begin, "end": end})
            known = {event.event_id for event in found if event.event_id}
            found += [e for e in _told(page, live=live) if e.event_id not in known]
            newest = _newest(lenient(raw, webhooks.Event) for raw in page.events)
            if page.more and newest is not None and newest > begin:
                return Listed(found, f"{current}:{newest}")
            begin = _milliseconds(window.since)
        return Listed(found)

    async def _events(self, name: str, since: datetime | None) -> AsyncIterator[webhooks.Event]:
        query = {"days": DAYS} if since is None else {"begin": _milliseconds(since)}
        for _ in range(MOST_PAGES):
            page = await self._page(name, query)
            events = [event for raw in page.events if (event := lenient(raw, webhooks.Event))]
            for event in events:
                yield event
            newest = _newest(events)
            if not page.more or newest is None or newest <= query.get("begin", 0):
                return
            query = {"begin": newest}

    async def _page(self, name: str, query: Mapping[str, int]) -> Page:
        path = f"/events/{name}?{urlencode(query)}"
        answer = await self._http.request("list_events", "GET", path, sent_is_safe=True)
        if _is_too_old(answer):
            return Page(events=[])
        return usable(lambda: converted(self._body(answer), Page), self._names)

    def _body(self, answer: Answer) -> object:
        if 200 <= answer.status < 300:
            return answer.body
        raise error_of(answer, self._names)


def _is_too_old(answer: Answer) -> bool:
    """Tell whether a listing was refused because it begins before the 30 days that events are kept."""
    refused = lenient(answer.body, EventsRefusal) if answer.status == 400 else None
    return refused is not None and refused.error.get("begin", "").startswith("Begin must be after")


def _read(event: webhooks.Event) -> webhooks.Reading | None:
    try:
        return webhooks.read(event)
    except ValueError:
        return None


def _told(page: Page, *, live: bool) -> Iterator[ProviderEvent]:
    for raw in page.events:
        try:
            yield webhooks.told(converted(raw, webhooks.Event), live=live)
        except ValueError as error:
            yield webhooks.unreadable(error)


def _newest(events: Iterable[webhooks.Event | None]) -> int | None:
    times = (moment(event.created) for event in events if event is not None)
    return max((_milliseconds(time) for time in times if time is not None), default=None)


def _milliseconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds() * 1000)
