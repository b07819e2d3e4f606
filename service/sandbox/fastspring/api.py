"""The HTTP routes of the emulated API: who may call, what comes back, and what is counted."""

import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiohttp import web

from service.sandbox.fastspring import bodies, payloads
from service.sandbox.fastspring.catalogue import USERNAME
from service.sandbox.fastspring.errors import Refusal, not_found
from service.sandbox.fastspring.events import EventSender
from service.sandbox.fastspring.records import Order, Session
from service.sandbox.fastspring.schema import JsonObject
from service.sandbox.requests import RequestLog, SeenRequest

# The slash between store and checkout is a real one.
SESSIONS_ROUTE = "/v2/checkouts/{store}/{checkout}/sessions"
SESSION_ROUTE = f"{SESSIONS_ROUTE}/{{id}}"
PAGE = 25
OLDEST = timedelta(days=30)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seller(Protocol):
    """What the routes need of the emulator."""

    requests: RequestLog
    events: EventSender
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def create(self, body: JsonObject, store_id: str, checkout_id: str) -> Session:
        """Open a session."""

    def find(self, session_id: str, store_id: str, checkout_id: str) -> Session | None:
        """Find a session of a checkout."""

    def order(self, order_id: str) -> Order | None:
        """Find an order."""

    def status(self, session: Session) -> str:
        """Return the status that the API tells."""

    def checkout_url(self, session: Session) -> str | None:
        """Return the address of the page."""


def routes(seller: Seller, *, password: str) -> web.Application:
    """Build the web application of the emulated API."""
    api = FastspringApi(seller, password=password)
    app = web.Application(middlewares=[api.answer])
    app.add_routes(
        [
            web.post(SESSIONS_ROUTE, api.create),
            web.get(SESSION_ROUTE, api.read),
            web.get(f"{SESSION_ROUTE}/payment-methods", api.payment_methods),
            web.get("/orders/{id}", api.order),
            web.get("/events/processed", api.processed),
            web.get("/events/unprocessed", api.unprocessed),
            web.post("/events/{id}", api.update_event),
        ]
    )
    return app


class FastspringApi:
    """Handlers of the emulated API."""

    def __init__(self, seller: Seller, *, password: str) -> None:
        self._seller = seller
        credentials = base64.b64encode(f"{USERNAME}:{password}".encode())
        self._authorization = b"Basic " + credentials

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the credentials, answer every refusal in FastSpring's shape, and count the request."""
        try:
            self._admit(request)
            response = await handler(request)
        except Refusal as error:
            response = self._error(error)
        except web.HTTPException as error:
            response = self._error(Refusal(error.status, error.reason))
        resource = request.match_info.route.resource
        route = resource.canonical.rpartition("/fastspring")[2] if resource else ""
        self._seller.requests.add(
            SeenRequest(request.method, route, response.status),
            created=response.status == 201,
        )
        return response

    async def create(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/checkouts/{store}/{checkout}/sessions`."""
        if request.content_type != "application/json":
            raise Refusal(415, "Content-Type must be application/json.")
        body = bodies.decode(await request.read())
        place = request.match_info
        session = self._seller.create(body, place["store"], place["checkout"])
        return _json(payloads.session_details(session, **self._state(session)), 201)

    async def read(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/checkouts/{store}/{checkout}/sessions/{id}`."""
        session = self._session(request)
        return _json(payloads.read_details(session, **self._state(session)))

    async def payment_methods(self, request: web.Request) -> web.Response:
        """Answer the ways to pay of a session."""
        return _json({"paymentMethods": payloads.payment_methods(self._session(request))})

    async def order(self, request: web.Request) -> web.Response:
        """Answer `GET /orders/{id}`."""
        order = self._seller.order(request.match_info["id"])
        if order is None:
            raise not_found("The order")
        return _json(payloads.order_details(order))

    async def processed(self, request: web.Request) -> web.Response:
        """Answer `GET /events/processed`."""
        return self._events(request, is_processed=True)

    async def unprocessed(self, request: web.Request) -> web.Response:
        """Answer `GET /events/unprocessed`."""
        return self._events(request, is_processed=False)

    async def update_event(self, request: web.Request) -> web.Response:
        """Answer `POST /events/{id}`."""
        event = self._seller.events.event(request.match_info["id"])
        if event is None:
            raise not_found("The event")
        event.is_processed = (await request.json()).get("processed", True)
        return _json(payloads.event_details(event))

    def _admit(self, request: web.Request) -> None:
        if not request.headers.get("user-agent"):
            raise Refusal(403, "A User-Agent header is required.")
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            raise Refusal(401, "The credentials are not valid.")

    def _session(self, request: web.Request) -> Session:
        place = request.match_info
        session = self._seller.find(place["id"], place["store"], place["checkout"])
        if session is None:
            raise not_found("The session")
        return session

    def _state(self, session: Session) -> JsonObject:
        return {
            "status": self._seller.status(session),
            "url": self._seller.checkout_url(session),
        }

    def _events(self, request: web.Request, *, is_processed: bool) -> web.Response:
        begin = self._begin(request)
        query, now = request.query, self._seller.clock()
        end = _moment(query, "end") if "end" in query else now
        listed = self._seller.events.listed(is_processed=is_processed, begin=begin)
        found = [event for event in listed if event.created <= end]
        return _json(
            {
                "action": "events.get",
                "result": "success",
                "events": [payloads.event_details(event) for event in found[:PAGE]],
                "more": len(found) > PAGE,
            }
        )

    def _begin(self, request: web.Request) -> datetime:
        now, query = self._seller.clock(), request.query
        if "begin" in query:
            begin = _moment(query, "begin")
        elif query.get("days", "").isdecimal():
            begin = now - timedelta(days=int(query["days"][:6]))
        else:
            raise Refusal(400, "Begin required.", field="begin")
        if begin < now - OLDEST:
            oldest = payloads.milliseconds(now - OLDEST)
            raise Refusal(400, f"Begin must be after '{oldest}'.", field="begin")
        return begin

    def _error(self, error: Refusal) -> web.Response:
        body = payloads.refusal(error, at=self._seller.clock(), error_id=self._seller.new_id())
        return _json(body, error.status)


def _moment(query: Mapping[str, str], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(query[name]) / 1000, UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal(400, f"Can not parse {name}", field=name) from error


def _json(body: JsonObject, status: int = 200) -> web.Response:
    return web.Response(status=status, body=payloads.encode(body), content_type="application/json")
