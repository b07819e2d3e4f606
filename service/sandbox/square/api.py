"""The HTTP routes of the emulated API: who may call, what comes back, and what is counted."""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from service.sandbox.requests import RequestLog, SeenRequest
from service.sandbox.square import bodies, payloads
from service.sandbox.square.enums import DEFAULT_VERSION, VERSIONS
from service.sandbox.square.errors import Refusal, not_found, refusal, unauthorized
from service.sandbox.square.order_payload import order_details
from service.sandbox.square.records import Order, Payment, Session
from service.sandbox.square.schema import Fields, JsonObject

LINKS_ROUTE = "/v2/online-checkout/payment-links"
LINK_ROUTE = f"{LINKS_ROUTE}/{{id}}"
CHECKOUTS_ROUTE = "/v2/locations/{location_id}/checkouts"
VERSION = "Square-Version"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Creation:
    """What a create call answers, and whether it made something new."""

    __slots__ = ("answer", "is_new")

    def __init__(self, answer: JsonObject, *, is_new: bool) -> None:
        self.answer = answer
        self.is_new = is_new


class Seller(Protocol):
    """What the routes need of the emulator."""

    requests: RequestLog

    def create_link(self, body: JsonObject) -> Creation:
        """Make a payment link."""

    def create_checkout(self, body: JsonObject, location_id: str) -> Creation:
        """Make a legacy checkout."""

    def link(self, link_id: str) -> Session | None:
        """Find a link that is not deleted."""

    def links(self, query: Mapping[str, str]) -> JsonObject:
        """List the links that are not deleted."""

    def describe_link(self, session: Session) -> JsonObject:
        """Describe a link."""

    def update_link(self, session: Session, changes: JsonObject) -> None:
        """Change a link."""

    def delete_link(self, session: Session) -> JsonObject:
        """Delete a link."""

    def order(self, order_id: str) -> Order | None:
        """Find an order."""

    def payment(self, payment_id: str) -> Payment | None:
        """Find a payment."""

    def payments(self, query: Mapping[str, str]) -> JsonObject:
        """List payments."""

    def find(self, name: str) -> Session | None:
        """Find a session by any of its names."""


def routes(seller: Seller, *, api_token: str) -> web.Application:
    """Build the web application of the emulated API."""
    api = SquareApi(seller, api_token=api_token)
    app = web.Application(middlewares=[api.answer])
    app.add_routes(
        [
            web.post(CHECKOUTS_ROUTE, api.create_checkout),
            web.post(LINKS_ROUTE, api.create_link),
            web.get(LINKS_ROUTE, api.list_links),
            web.get(LINK_ROUTE, api.link),
            web.put(LINK_ROUTE, api.update_link),
            web.delete(LINK_ROUTE, api.delete_link),
            web.post("/v2/orders/batch-retrieve", api.orders),
            web.get("/v2/orders/{order_id}", api.order),
            web.get("/v2/payments", api.list_payments),
            web.get("/v2/payments/{payment_id}", api.payment),
            web.get("/v2/checkout", api.follow_checkout),
            web.get("/u/{slug}", api.follow_link),
        ]
    )
    return app


class SquareApi:
    """Handlers of the emulated API."""

    def __init__(self, seller: Seller, *, api_token: str) -> None:
        self._seller = seller
        self._authorization = f"Bearer {api_token}".encode()

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token and the version, answer refusals in Square's shape, count the request."""
        version = request.headers.get(VERSION) or DEFAULT_VERSION
        try:
            response = await self._respond(request, handler, version)
        except Refusal as error:
            response = _error(error)
        except web.HTTPException as error:
            response = _error(_http_refusal(error))
        if version in VERSIONS:
            response.headers[VERSION] = version
        seen = SeenRequest(method=request.method, route=_route(request), status=response.status)
        self._seller.requests.add(seen)
        return response

    async def create_checkout(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/locations/{location_id}/checkouts`."""
        body = await _body(request, bodies.CREATE_CHECKOUT)
        location_id = request.match_info["location_id"]
        return self._created(self._seller.create_checkout(body, location_id))

    async def create_link(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/online-checkout/payment-links`."""
        return self._created(self._seller.create_link(await _body(request, bodies.CREATE_LINK)))

    async def list_links(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/online-checkout/payment-links`."""
        return _json(self._seller.links(request.query))

    async def link(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/online-checkout/payment-links/{id}`."""
        return _json({"payment_link": self._seller.describe_link(self._link(request))})

    async def update_link(self, request: web.Request) -> web.Response:
        """Answer `PUT /v2/online-checkout/payment-links/{id}`."""
        body = await _body(request, bodies.UPDATE_LINK)
        session = self._link(request)
        self._seller.update_link(session, body["payment_link"])
        return _json({"payment_link": self._seller.describe_link(session)})

    async def delete_link(self, request: web.Request) -> web.Response:
        """Answer `DELETE /v2/online-checkout/payment-links/{id}`."""
        return _json(self._seller.delete_link(self._link(request)))

    async def order(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/orders/{order_id}`."""
        order_id = request.match_info["order_id"]
        order = self._seller.order(order_id)
        if order is None:
            raise not_found("Order", order_id)
        return _json({"order": order_details(order)})

    async def orders(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/orders/batch-retrieve`; unknown ids are left out without a word."""
        body = await _body(request, bodies.BATCH_RETRIEVE)
        found = [self._seller.order(order_id) for order_id in body["order_ids"]]
        wanted = body.get("location_id")
        details = [
            order_details(order)
            for order in found
            if order is not None and wanted in {None, order.location_id}
        ]
        return _json({"orders": details} if details else {})

    async def payment(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/payments/{payment_id}`."""
        payment_id = request.match_info["payment_id"]
        payment = self._seller.payment(payment_id)
        if payment is None:
            raise not_found("Payment", payment_id)
        return _json({"payment": payloads.payment_details(payment)})

    async def list_payments(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/payments`."""
        return _json(self._seller.payments(request.query))

    async def follow_link(self, request: web.Request) -> web.Response:
        """Lead a buyer from a short link to the page."""
        slug = request.match_info["slug"]
        session = self._seller.find(slug)
        if session is None or session.slug != slug:
            raise not_found("Link", slug)
        return _found(f"../session/{session.session_id}")

    async def follow_checkout(self, request: web.Request) -> web.Response:
        """Lead a buyer from the address of a legacy checkout to the page."""
        checkout_id = request.query.get("c", "")
        session = self._seller.find(checkout_id)
        if session is None or session.session_id != checkout_id or session.is_link:
            raise not_found("Checkout", checkout_id)
        return _found(f"../session/{session.session_id}")

    async def _respond(
        self, request: web.Request, handler: Handler, version: str
    ) -> web.StreamResponse:
        if handler in {self.follow_link, self.follow_checkout}:
            return await handler(request)
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            raise unauthorized()
        _check_version(version)
        return await handler(request)

    def _created(self, creation: Creation) -> web.Response:
        self._seller.requests.creates += creation.is_new
        return _json(creation.answer)

    def _link(self, request: web.Request) -> Session:
        link_id = request.match_info["id"]
        session = self._seller.link(link_id)
        if session is None:
            raise not_found("Payment link", link_id)
        return session


def _check_version(version: str) -> None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
        detail = "The Square-Version header must be a date such as 2025-08-20."
        raise refusal("INVALID_SQUARE_VERSION_FORMAT", detail)
    if version not in VERSIONS:
        raise refusal("API_VERSION_INCOMPATIBLE", f"There is no API version {version}.")


async def _body(request: web.Request, shape: Fields) -> JsonObject:
    if request.content_type != "application/json":
        raise refusal("INVALID_CONTENT_TYPE", "Content-Type must be application/json.")
    return bodies.decode(await request.read(), shape)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical.rpartition("/square")[2] if resource else ""


def _json(body: JsonObject, status: int = 200) -> web.Response:
    return web.Response(status=status, body=payloads.encode(body), content_type="application/json")


def _found(location: str) -> web.Response:
    return web.Response(status=302, headers={"location": location})


def _error(error: Refusal) -> web.Response:
    return _json(payloads.errors(error.problems), error.status)


HTTP_CODES = {
    404: ("NOT_FOUND", "Resource not found."),
    405: ("METHOD_NOT_ALLOWED", "This method is not allowed here."),
    413: ("REQUEST_ENTITY_TOO_LARGE", "The request body is too large."),
}


def _http_refusal(error: web.HTTPException) -> Refusal:
    code, detail = HTTP_CODES.get(error.status, ("BAD_REQUEST", error.reason))
    return refusal(code, detail, status=error.status)
