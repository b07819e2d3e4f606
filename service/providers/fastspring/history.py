"""Finding the orders of a session, which names none: events are listed, and each has its order's tags."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from msgspec import Struct

from service.core.errors import ProviderOutcomeUnknown, ProviderRejected
from service.providers.answers import Answer
from service.providers.fastspring import payloads, webhooks
from service.providers.fastspring.errors import error_of
from service.providers.fastspring.reading import EPOCH, converted, lenient, moment, our_session_id
from service.providers.http import ProviderHttp

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


class OrderAnswer(Struct, frozen=True):
    """The answer to reading an order, which older texts put into a list."""

    orders: list[payloads.Order] | None = None
    tags: object = None


class OrderReader:
    """The reads of one account that lead from sessions to orders and back."""

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
        body = await self._get("locate", f"/orders/{quote(order_id, safe='')}")
        answer = lenient(body, OrderAnswer) or OrderAnswer()
        tags = [answer.tags, *(order.tags for order in answer.orders or ())]
        return next(filter(None, map(our_session_id, tags)), "")

    async def _events(self, name: str, since: datetime | None) -> AsyncIterator[webhooks.Event]:
        begin = None if since is None else _milliseconds(since)
        for _ in range(MOST_PAGES):
            page = await self._page(name, begin)
            events = [event for raw in page.events if (event := lenient(raw, webhooks.Event))]
            for event in events:
                yield event
            times = [made for event in events if (made := moment(event.created))]
            newest = _milliseconds(max(times)) if times else None
            if not page.more or newest is None or (begin is not None and newest <= begin):
                return
            begin = newest

    async def _page(self, name: str, begin: int | None) -> Page:
        query = urlencode({"days": DAYS} if begin is None else {"begin": begin})
        try:
            body = await self._get("list_events", f"/events/{name}?{query}")
        except ProviderRejected:
            # Older than the 30 days that are kept.
            return Page(events=[])
        try:
            return converted(body, Page)
        except ValueError as error:
            metadata = {**self._names, "cause": str(error)}
            message = "the request was sent and no usable answer came"
            raise ProviderOutcomeUnknown(message, metadata=metadata) from error

    async def _get(self, operation: str, path: str) -> object:
        answer: Answer = await self._http.request(operation, "GET", path, sent_is_safe=True)
        if 200 <= answer.status < 300:
            return answer.body
        raise error_of(answer, self._names)


def _read(event: webhooks.Event) -> webhooks.Reading | None:
    try:
        return webhooks.read(event)
    except ValueError:
        return None


def _milliseconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds() * 1000)
